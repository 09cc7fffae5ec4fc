import Foundation
import TestSupport
import Testing

@testable import Torch

@Suite("Recurrent layers")
struct RecurrentTests {
    private static let lengths = [2, 5, 1, 5, 3]
    private static let kinds = Recurrent.Cell.allCases.flatMap { [($0, false), ($0, true)] }

    private func layer(_ cell: Recurrent.Cell, _ bidirectional: Bool) -> (Recurrent, ParameterStore) {
        let store = ParameterStore()
        return (
            Recurrent(Scope(store, seed: 3), cell: cell, inputs: 3, hidden: 4, bidirectional: bidirectional),
            store
        )
    }

    private func rows(_ count: Int, seed: UInt64) -> Tensor { .normal([count, 3], deviation: 1, seed: seed) }

    @Test(arguments: kinds)
    func `A padded batch and a packed one hold the same states, whatever padding holds`(
        _ cell: Recurrent.Cell, _ bidirectional: Bool
    ) {
        let (layer, _) = layer(cell, bidirectional)
        let sequences = Self.lengths.enumerated().map { rows($0.element, seed: UInt64($0.offset)) }
        let packed = layer(.concatenated(sequences, over: 0), PackedLayout(lengths: Self.lengths))
        let padded =
            zip(sequences, Self.lengths).map { .concatenated([$0, .full([5 - $1, 3], 99)], over: 0) }
            as [Tensor]
        let other = layer(.concatenated(padded, over: 0), PackedLayout(lengths: Self.lengths, stride: 5))
        #expect(packed.states.floats == other.states.floats && packed.final.floats == other.final.floats)
    }

    @Test(
        arguments: kinds
    )
    func
        `A sequence gets the same states alone and among others, zeros behind its end, and the right last state`(
            _ cell: Recurrent.Cell, _ bidirectional: Bool
        )
    {
        let (layer, _) = layer(cell, bidirectional)
        let sequences = Self.lengths.enumerated().map { rows($0.element, seed: UInt64($0.offset)) }
        let together = layer(.concatenated(sequences, over: 0), PackedLayout(lengths: Self.lengths))
        let width = bidirectional ? 8 : 4
        #expect(together.states.shape == [5, 5, width] && together.final.shape == [5, width])
        for (index, length) in Self.lengths.enumerated() {
            let states = together.states.selected(0, at: index)
            let single = layer(sequences[index], PackedLayout(lengths: [length]))
            #expect(isClose(states.narrowed(0, to: 0..<length), single.states.selected(0, at: 0)))
            #expect(states.narrowed(0, to: length..<5).floats.allSatisfy { $0 == 0 })
            let final = together.final.selected(0, at: index).floats
            #expect(
                isClose(Array(final.prefix(4)), Array(states.selected(0, at: length - 1).floats.prefix(4))))
            if bidirectional {
                #expect(isClose(Array(final.suffix(4)), Array(states.selected(0, at: 0).floats.suffix(4))))
            }
        }
    }

    /// PyTorch's formulas for a single unit: one weight per gate, in order, the same for input and
    /// state.
    @Test(arguments: Recurrent.Cell.allCases)
    func `A single unit follows its formula`(_ cell: Recurrent.Cell) {
        let store = ParameterStore()
        let layer = Recurrent(Scope(store), cell: cell, inputs: 1, hidden: 1, bidirectional: false)
        let w = [0.5, -0.3, 0.8, 0.2].prefix(cell.gates).map(Float.init)
        let u = w.map { 0.7 * $0 }
        let (b, c) = (w.map { $0 + 0.1 }, w.map { 0.2 - $0 })
        store.set(["weight_ih_l0": w, "weight_hh_l0": u, "bias_ih_l0": b, "bias_hh_l0": c])
        let inputs: [Float] = [1, -2, 0.5]
        func s(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
        var (h, memory) = (Float(0), Float(0))
        let expected = inputs.map { x in
            func i(_ gate: Int) -> Float { w[gate] * x + b[gate] }
            func r(_ gate: Int) -> Float { u[gate] * h + c[gate] }
            switch cell {
            case .rnn:
                h = tanh(i(0) + r(0))
            case .gru:
                let (reset, update) = (s(i(0) + r(0)), s(i(1) + r(1)))
                h = (1 - update) * tanh(i(2) + reset * r(2)) + update * h
            case .lstm:
                memory = s(i(1) + r(1)) * memory + s(i(0) + r(0)) * tanh(i(2) + r(2))
                h = s(i(3) + r(3)) * tanh(memory)
            }
            return h
        }
        let output = layer(Tensor(inputs, shape: [3, 1]), PackedLayout(lengths: [3]))
        #expect(isClose(output.states.floats, expected) && isClose(output.final.floats, [h]))
    }

    @Test(arguments: kinds)
    func `Gradients agree with finite differences`(_ cell: Recurrent.Cell, _ bidirectional: Bool) {
        let (layer, store) = layer(cell, bidirectional)
        let (x, layout) = (rows(8, seed: 1), PackedLayout(lengths: [1, 4, 3]))
        let weights = Tensor.normal([3, bidirectional ? 8 : 4], deviation: 1, seed: 2)
        let error = gradientError(of: store.trainable.map(\.tensor)) {
            let output = layer(x, layout)
            return (output.final * weights).sum(over: 0, 1) + output.states.mean(over: 0, 1, 2)
        }
        #expect(error < 2e-3)
    }

    @Test func `A layout tells its padding`() {
        let layout = PackedLayout(lengths: [1, 3])
        #expect(layout.isPadded && layout.longest == 3 && !PackedLayout(lengths: [2, 2]).isPadded)
        #expect(layout.paddingMask(on: .cpu).array(of: UInt8.self) == [0, 1, 1, 0, 0, 0])
        #expect(layout.padded(Tensor([1, 2, 3, 4] as [Float], shape: [4, 1])).floats == [1, 0, 0, 2, 3, 4])
        let strided = PackedLayout(lengths: [1, 3], stride: 3)
        #expect(
            strided.padded(Tensor([1, 9, 9, 2, 3, 4] as [Float], shape: [6, 1])).floats == [1, 0, 0, 2, 3, 4])
    }
}
