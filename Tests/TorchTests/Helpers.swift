import Foundation
import Testing

@testable import Torch

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

/// The largest difference between the gradients of `backward` and central differences of `loss`,
/// over some values of every tensor.
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
