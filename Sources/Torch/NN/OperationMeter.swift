import Synchronization

/// Counts the operations of the forward passes whose `Pass` holds it.
///
/// As usual, convolutions, linear and recurrent layers count; norms, activations, biases, pooling
/// and attention sums do not.
package final class OperationMeter: Sendable {
    private let counts = Mutex((multiplyAccumulates: 0, activations: 0))

    package init() {}

    /// Half the FLOPs: a multiply-accumulate counts as two.
    package var multiplyAccumulates: Int { counts.withLock { $0.multiplyAccumulates } }
    /// Output values of those layers (Radosavovic et al. 2020), a better predictor of the time on
    /// parallel hardware.
    package var activations: Int { counts.withLock { $0.activations } }

    /// - Parameter cost: multiply-accumulates per value of `output`.
    func count(_ output: Tensor, cost: Int) {
        let values = output.count
        counts.withLock {
            $0.activations += values
            $0.multiplyAccumulates += values * cost
        }
    }
}
