import Synchronization

/// Sees what convolutions put out in the forward passes that it is given to (`Pass`).
package final class RangeObserver: Sendable {
    private struct Seen {
        var ranges: [String: ClosedRange<Float>] = [:]
        var broken: String?
    }

    private let seen = Mutex(Seen())

    package init() {}

    /// The range of each convolution's output, with what follows the convolution, by the convolution's path.
    package var ranges: [String: ClosedRange<Float>] { seen.withLock { $0.ranges } }
    /// The first convolution whose output was infinite or not a number. That has no range: its weights are broken, though finite.
    package var broken: String? { seen.withLock { $0.broken } }

    func see(_ output: Tensor, of path: String) {
        precondition(output.quantization == nil, "ranges are seen before they are rounded")
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
