import TestSupport
import Testing

@testable import Torch

@Suite("Batch norm over processes") struct SyncedNormTests {
    /// Results, gradients and statistics of two steps of a norm with a shortcut and ReLU, of these
    /// rows of a batch.
    private static func outcome(
        _ share: BatchShare?, in group: (any ProcessGroup)?, _ x: [Float], shortcut: [Float]
    ) -> [[Double]] {
        let store = ParameterStore()
        let norm = BatchNorm2d(Scope(store, seed: 1, dtype: .float64), 5)
        norm.weight.copy(from: Tensor([1, -2, 0.5, 3, 1] as [Double]))
        norm.bias.copy(from: Tensor([0, 1, -1, 0.2, 0] as [Double]))
        func rows(_ values: [Float]) -> Tensor {
            let all = Tensor(values, shape: [7, 5, 3, 2]).to(dtype: .float64)
            // A stand-in for no row has values of its own.
            if share?.counts == false { return (all * 0 + 9).narrowed(0, to: 0..<1) }
            return share.map { all.narrowed(0, to: $0.rows) } ?? all
        }
        var result: [[Double]] = []
        for step in 0..<2 {
            let leaf = rows(x).copied()
            let added = rows(shortcut).copied()
            for tensor in [leaf, added] { tensor.requireGradient() }
            let pass = Pass.training(seed: UInt64(step), share: share, statisticsOver: group)
            let y = norm(leaf, adding: added, relu: true, pass)
            let loss = (y * y * leaf).sum(over: 0, 1, 2, 3) * (share?.counts == false ? 0 : 1)
            withExtendedLifetime(pass) { loss.backward() }
            // What differs by process comes first.
            result += [y, leaf.gradient!, added.gradient!].map { $0.array(of: Double.self) }
        }
        let summed = [norm.weight, norm.bias].map {
            group?.sums($0.gradient!.array()) ?? $0.gradient!.array()
        }
        return result + summed + [norm.runningMean, norm.runningVariance].map { $0.array() }
    }

    @Test(arguments: [[7], [3, 4], [1, 6], [2, 0, 5], [7, 0], [0, 3, 3, 1]])
    func `Processes that divide a batch compute what one computes of the whole`(_ rows: [Int]) throws {
        // A mean far from zero, whose square would swallow the variance.
        let x = Tensor.normal([7, 5, 3, 2], mean: 300, deviation: 1, seed: 1).floats
        let shortcut = Tensor.normal([7, 5, 3, 2], deviation: 1, seed: 2).floats
        let whole = Self.outcome(nil, in: nil, x, shortcut: shortcut)
        let parts = try ThreadGroup.run(rows.count) { group in
            Self.outcome(BatchShare(rows: rows, rank: group.rank), in: group, x, shortcut: shortcut)
        }
        for (index, expected) in whole.enumerated() {
            let own = parts.enumerated().filter { rows[$0.offset] > 0 }.map { $0.element[index] }
            let found = index < 6 ? own.flatMap { $0 } : own[0]
            let scale = expected.map(abs).max() ?? 1
            #expect(found.count == expected.count)
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-9 * scale }, "tensor \(index)")
            if index >= 6 { #expect(parts.allSatisfy { $0[index] == own[0] }) }
        }
    }

    @Test func `Dropped rows are those of the whole batch, whoever has them`() {
        let x = Tensor.full([7, 4], 1)
        let layer = Dropout(probability: 0.5)
        let whole = layer(x, .training(seed: 3)).floats
        let parts = (0..<3).map { rank in
            let share = BatchShare(rows: [2, 4, 1], rank: rank)
            return layer(x.narrowed(0, to: share.rows), .training(seed: 3, share: share)).floats
        }
        #expect(parts.flatMap { $0 } == whole && Set(whole) == [0, 2])
    }

    @Test func `A share has its rows among all, or one row that counts nowhere`() {
        let shares = (0..<3).map { BatchShare(rows: [2, 0, 5], rank: $0) }
        #expect(shares.map(\.rows) == [0..<2, 0..<1, 2..<7])
        #expect(shares.map(\.counts) == [true, false, true] && shares.allSatisfy { $0.all == 7 })
    }

    @Test func `Values, tensors and gradients go from process to process`() throws {
        let results = try ThreadGroup.run(3) { group in
            let text = try group.shared { "made by \(group.rank)" }
            let tensor = Tensor.full([2], Double(group.rank + 1))
            group.broadcast([tensor])
            tensor.requireGradient()
            (tensor * Double(group.rank)).sum(over: 0).backward()
            let sums = group.sumGradients(of: [tensor], with: [1, Double(group.rank)])
            return "\(text), \(tensor.floats), \(tensor.gradient!.floats), \(sums)"
        }
        #expect(Set(results) == ["made by 0, [1.0, 1.0], [3.0, 3.0], [3.0, 3.0]"])
    }
}
