import Synchronization

/// Counts the work of the forward passes that it is given to (`Pass`).
///
/// Convolutions, linear and recurrent layers count, as is usual; norms, activations, biases, pooling and attention sums do not.
package final class OperationMeter: Sendable {
    private let counts = Mutex((multiplyAccumulates: 0, activations: 0))

    package init() {}

    /// Half of what is called FLOPs.
    package var multiplyAccumulates: Int { counts.withLock { $0.multiplyAccumulates } }
    /// Values that those layers have put out (Radosavovic et al. 2020): a better guess at the time on parallel hardware.
    package var activations: Int { counts.withLock { $0.activations } }

    /// - Parameter cost: multiply-accumulates for each value of `output`.
    func count(_ output: Tensor, cost: Int) {
        let values = output.count
        counts.withLock {
            $0.activations += values
            $0.multiplyAccumulates += values * cost
        }
    }
}
