import Synchronization

/// Records the output ranges of convolutions in the forward passes whose `Pass` holds it.
package final class RangeObserver: Sendable {
    private struct Seen {
        var ranges: [String: ClosedRange<Float>] = [:]
        var broken: String?
    }

    private let seen = Mutex(Seen())

    package init() {}

    /// The output range of each convolution, keyed by its path. The output includes the norm, sum
    /// and activation after the convolution.
    package var ranges: [String: ClosedRange<Float>] { seen.withLock { $0.ranges } }
    /// The first convolution whose output contained infinity or NaN. It has no range: its weights
    /// are corrupt, though finite.
    package var broken: String? { seen.withLock { $0.broken } }

    func see(_ output: Tensor, of path: String) {
        precondition(output.quantization == nil, "ranges must be observed before quantisation")
        let range = output.range.map { Float($0.lowerBound)...Float($0.upperBound) }
        seen.withLock { seen in
            guard let range else {
                seen.broken = seen.broken ?? path
                return
            }
            let former = seen.ranges[path] ?? range
            seen.ranges[path] =
                min(former.lowerBound, range.lowerBound)...max(former.upperBound, range.upperBound)
        }
    }
}
