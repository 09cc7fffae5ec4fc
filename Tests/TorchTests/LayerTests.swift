import Foundation
import TestSupport
import Testing

@testable import Torch

@Suite("Layers")
struct LayerTests {
    private let store = ParameterStore()
    private var scope: Scope { Scope(store) }

    // MARK: names and initial values

    @Test func `Parameters are named, grouped and counted where they are born`() {
        let scope = Scope(store, group: "a") / "block" / 3
        let layer = Linear(scope / "fc", 2, 4)
        _ = BatchNorm2d((scope / "bn").part("b"), 5)
        #expect(
            store.entries.prefix(3).map(\.name) == [
                "block.3.fc.weight", "block.3.fc.bias", "block.3.bn.weight",
            ])
        #expect(store.entries.map(\.group) == ["a", "a", "b", "b", "b", "b", "b"])
        #expect(store.parameterCount == 8 + 4 + 10 && store.trainable.count == 4)
        #expect(layer(.zeros([1, 2])).shape == [1, 4])
    }

    @Test func `Initial weights depend on seed and name, not on what was made before`() {
        func weight(_ name: String, seed: UInt64, after others: Int = 0) -> [Float] {
            let scope = Scope(ParameterStore(), seed: seed)
            for index in 0..<others { _ = Linear(scope / index, 3, 3) }
            return Linear(scope / name, 3, 3).weight.floats
        }
        #expect(weight("a", seed: 1) == weight("a", seed: 1, after: 3))
        #expect(weight("a", seed: 1) != weight("a", seed: 2) && weight("a", seed: 1) != weight("b", seed: 1))
        #expect(weight("a", seed: 1).allSatisfy { abs($0) <= 1 / Float(3).squareRoot() })
        let kaiming = Conv2d(scope / "k", 8, 64, kernel: 3, initial: .kaimingFanOut()).weight.floats
        let deviation = (kaiming.reduce(0) { $0 + $1 * $1 } / Float(kaiming.count)).squareRoot()
        #expect(abs(deviation - Float(2.0 / (64 * 9)).squareRoot()) < 0.003)
    }

    @Test func `Mismatches are named one by one, but for batch counters; load takes what fits`() {
        _ = BatchNorm2d(scope / "bn", 2)
        #expect(store.mismatches(with: store.tensors).isEmpty)
        var other = store.tensors
        other["bn.num_batches_tracked"] = nil
        #expect(store.mismatches(with: other).isEmpty)
        other["bn.bias"] = nil
        other["bn.weight"] = Tensor([1, 2, 3] as [Float])
        other["more"] = Tensor([1] as [Float])
        #expect(
            store.mismatches(with: other) == [
                "bn.weight has shape [3] instead of [2]", "bn.bias is missing",
                "more is not part of the model",
            ])
        store.load(["bn.bias": Tensor([4, 5] as [Double])])
        #expect(store.tensors["bn.bias"]!.floats == [4, 5] && store.tensors["bn.bias"]!.dtype == .float32)
    }

    // MARK: values computed by hand

    @Test func `A linear layer is x Wᵀ + b`() {
        let layer = Linear(scope, 2, 2)
        store.set(["weight": [1, 2, 3, 4], "bias": [10, 20]])
        #expect(layer(Tensor([1, 1, 2, 0] as [Float], shape: [2, 2])).floats == [13, 27, 12, 26])
    }

    @Test func `A convolution sums its window, per group, with zeros around`() {
        let layer = Conv2d(scope, 2, 2, kernel: 3, groups: 2, bias: true)
        store.set([
            "weight": [Float](repeating: 1, count: 9) + [Float](repeating: 2, count: 9), "bias": [0, 1],
        ])
        let ones = Tensor.full([1, 2, 3, 3], 1)
        let corners: [Float] = [4, 6, 4, 6, 9, 6, 4, 6, 4]
        #expect(layer(ones).floats == corners + corners.map { 2 * $0 + 1 })
        #expect(Conv2d(scope / "s", 1, 1, kernel: 3, stride: 2)(.zeros([1, 1, 5, 4])).shape == [1, 1, 3, 2])
    }

    /// The number of a row's pixels in each window: the result of a kernel of ones on a row of
    /// ones.
    @Test(
        arguments: [
            (size: 4, kernel: 3, stride: 2, windows: [3, 2]), (5, 3, 2, [2, 3, 2]), (6, 5, 2, [4, 5, 3]),
            (7, 5, 2, [3, 5, 5, 3]),
            (3, 3, 1, [2, 3, 2]), (2, 5, 2, [2]), (5, 1, 2, [1, 1, 1]), (1, 3, 2, [1]), (4, 2, 3, [2, 1]),
        ] as [(size: Int, kernel: Int, stride: Int, windows: [Int])])
    func `TensorFlow's SAME padding puts the odd pixel at the end`(
        _ size: Int, _ kernel: Int, _ stride: Int, _ windows: [Int]
    ) {
        let layer = Conv2d(
            scope, 1, 1, kernel: kernel, stride: stride, padding: .tensorFlowSame, initial: .constant(1))
        let square = layer(.full([1, 1, size, size], 1))
        #expect(square.shape == [1, 1, windows.count, windows.count])
        #expect(square.floats == windows.flatMap { row in windows.map { Float(row * $0) } })
        // Height and width are padded separately.
        let wide = layer(.full([1, 1, size, 7], 1))
        #expect(wide.shape == [1, 1, windows.count, (7 + stride - 1) / stride])
    }

    @Test
    func `Batch norm uses the batch in training and keeps running statistics, which it uses in evaluation`() {
        let layer = BatchNorm2d(scope, 1, epsilon: 0, momentum: 0.5)
        store.set(["weight": [2], "bias": [1]])
        let x = Tensor([1, 3, 5, 7] as [Float], shape: [2, 1, 1, 2])  // mean 4, variance 5 (20/3 unbiased)
        #expect(
            isClose(
                layer(x, .training(seed: 0)).floats,
                [-3, -1, 1, 3].map { $0 * 2 / Float(5).squareRoot() + 1 }))
        #expect(isClose(store.tensors["running_mean"]!.floats, [2]))
        #expect(isClose(store.tensors["running_var"]!.floats, [0.5 + 10.0 / 3]))
        store.set(["running_mean": [3], "running_var": [4]])
        #expect(isClose(layer(x).floats, [-1, 1, 3, 5]))
        #expect(store.tensors["running_mean"]!.floats == [3])
    }

    @Test(arguments: [Activation.relu, .relu6, .silu, .hardswish, .hardsigmoid, .sigmoid])
    func `Activations follow their formulas`(_ activation: Activation) {
        let values: [Float] = [-7, -3, -1, -0.1, 0, 0.5, 2.9, 5, 8]
        let expected = values.map { x -> Float in
            let ramp = min(max(x + 3, 0), 6) / 6
            return switch activation {
            case .relu: max(x, 0)
            case .relu6: min(max(x, 0), 6)
            case .silu: x / (1 + exp(-x))
            case .hardswish: x * ramp
            case .hardsigmoid: ramp
            case .sigmoid: 1 / (1 + exp(-x))
            }
        }
        #expect(isClose(activation(Tensor(values)).floats, expected))
    }

    @Test func `Pooling takes maxima of windows, and the mean of the picture`() {
        let x = Tensor((0..<16).map(Float.init), shape: [1, 1, 4, 4])
        #expect(MaxPool2d(kernel: 3, stride: 2, padding: 1)(x).floats == [5, 7, 13, 15])
        #expect(
            GlobalAveragePool()(Tensor((0..<8).map(Float.init), shape: [1, 2, 2, 2])).floats == [1.5, 5.5])
        #expect(GlobalAveragePool()(Activation.relu(x)).shape == [1, 1])
    }

    @Test
    func
        `Cross-entropy is the mean negative log-probability; weights and smoothing change it as they should`()
    {
        let logits = Tensor([2, 0, 1, 0, 3, 0] as [Float], shape: [2, 3])
        let labels = Tensor([0, 2] as [Int64])
        let logs =
            [[2, 0, 1], [0, 3, 0]].map { row in row.map { $0 - log(row.reduce(0) { $0 + exp($1) }) } }
            as [[Double]]
        let (a, b) = (-logs[0][0], -logs[1][2])
        #expect(abs(crossEntropy(logits, labels).item - (a + b) / 2) < 1e-6)
        let weights = Tensor([1, 1, 3] as [Float])
        #expect(abs(crossEntropy(logits, labels, classWeights: weights).item - (a + 3 * b) / 4) < 1e-6)
        let even = -logs.joined().reduce(0, +) / 6
        #expect(
            abs(crossEntropy(logits, labels, smoothing: 0.1).item - (0.9 * (a + b) / 2 + 0.1 * even)) < 1e-6)
    }

    // MARK: dropout

    @Test func `Dropout is the identity in evaluation, and in training keeps the mean`() {
        let layer = Dropout(probability: 0.25)
        let x = Tensor.full([100, 100], 1)
        #expect(layer(x).floats == x.floats)
        let y = layer(x, .training(seed: 0)).floats
        #expect(Set(y).sorted() == [0, 1 / 0.75] && abs(y.reduce(0, +) / 10_000 - 1) < 0.03)
    }

    @Test func `Dropout's draws depend on the step's seed and its place in the step, and on nothing else`() {
        let layer = Dropout(probability: 0.5)
        func step(_ seed: UInt64) -> [[Float]] {
            let pass = Pass.training(seed: seed)
            return (0..<3).map { _ in layer(.full([8, 8], 1), pass).floats }
        }
        let first = step(7)
        #expect(Set(first).count == 3)
        #expect(step(8) != first)
        #expect(step(7) == first)
    }

    @Test func `Dropout of whole rows keeps or drops a row as one`() {
        let layer = Dropout(probability: 0.5, wholeRows: true)
        let y = layer(.full([64, 2, 3], 1), .training(seed: 0)).floats
        let rows = stride(from: 0, to: y.count, by: 6).map { Set(y[$0..<$0 + 6]) }
        #expect(rows.allSatisfy { $0.count == 1 } && Set(rows) == [[0], [2]])
    }

    // MARK: gradients

    @Test(arguments: [Padding.symmetric(1), .tensorFlowSame], [true, false])
    func `Gradients agree with finite differences`(_ padding: Padding, _ isTraining: Bool) {
        let scope = Scope(store, seed: 5)
        let layers: [any Layer] = [
            Conv2d(scope / 0, 2, 4, kernel: 3, stride: 2, padding: padding, bias: true),
            BatchNorm2d(scope / 1, 4),
            Activation.silu, Conv2d(scope / 2, 4, 4, kernel: 3, groups: 4), Activation.sigmoid,
            GlobalAveragePool(),
            Linear(scope / 3, 4, 3),
        ]
        let pass = isTraining ? Pass.training(seed: 0) : .evaluation
        let x = Tensor.normal([3, 2, 6, 5], deviation: 1, seed: 1)
        let labels = Tensor([0, 2, 1] as [Int64])
        let error = gradientError(of: store.trainable.map(\.tensor)) {
            crossEntropy(layers.reduce(x) { $1($0, pass) }, labels)
        }
        #expect(error < 1e-3)
    }
}
