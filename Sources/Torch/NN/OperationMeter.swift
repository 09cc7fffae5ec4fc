/// Counts the work of forward passes, for as long as it is the `meter` of a model's `ParameterStore`.
///
/// Convolutions, linear and recurrent layers count, as is usual; norms, activations, biases, pooling and attention sums do not.
package final class OperationMeter {
    /// Half of what is called FLOPs.
    package private(set) var multiplyAccumulates = 0
    /// Values that those layers have put out (Radosavovic et al. 2020): a better guess at the time on parallel hardware.
    package private(set) var activations = 0

    package init() {}

    /// - Parameter cost: multiply-accumulates for each value of `output`.
    func count(_ output: Tensor, cost: Int) {
        activations += output.count
        multiplyAccumulates += output.count * cost
    }
}
