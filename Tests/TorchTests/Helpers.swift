import Foundation
import Testing

@testable import Torch

/// SplitMix64: the same draws on every machine.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A folder that is gone afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("torch-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

func isClose(_ a: [Float], _ b: [Float], within tolerance: Float = 1e-5) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

func isClose(_ a: Tensor, _ b: Tensor, within tolerance: Float = 1e-5) -> Bool {
    a.shape == b.shape && isClose(a.floats, b.floats, within: tolerance)
}

/// Overwrites parameters by name.
extension ParameterStore {
    func set(_ values: [String: [Float]]) {
        load(
            values.mapValues { Tensor($0) }.reduce(into: [:]) { result, item in
                let entry = entries.first { $0.name == item.key }!
                result[item.key] = item.value.reshaped(entry.tensor.shape)
            })
    }
}

extension Tensor {
    func reshaped(_ shape: [Int]) -> Tensor { Tensor(floats, shape: shape) }
}

/// The largest difference between the gradients that `backward` gives and central differences of `loss`, over some values of
/// every tensor.
func gradientError(of tensors: [Tensor], step: Float = 1e-2, _ loss: () -> Tensor) -> Double {
    for tensor in tensors { tensor.clearGradient() }
    loss().backward()
    var worst = 0.0
    for tensor in tensors {
        guard let gradient = tensor.gradient?.floats else { return .infinity }
        let values = tensor.floats
        for index in stride(from: 0, to: values.count, by: max(1, values.count / 5)) {
            func shifted(_ by: Float) -> Double {
                var moved = values
                moved[index] += by
                tensor.copy(from: Tensor(moved, shape: tensor.shape))
                return withoutGradients { loss().item }
            }
            let numeric = (shifted(step) - shifted(-step)) / Double(2 * step)
            worst = max(worst, abs(numeric - Double(gradient[index])))
        }
        tensor.copy(from: Tensor(values, shape: tensor.shape))
    }
    return worst
}
