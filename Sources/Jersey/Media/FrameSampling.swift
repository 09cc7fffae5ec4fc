/// Which frames of a long sequence are read.
package enum FrameSampling: Sendable, Equatable {
    /// Evenly spaced, first and last included.
    case even
    /// A random frame from each of `limit` equal stretches.
    case jittered
    /// The study's sampling: equal steps that never reach the last frame. With `anchorFirst`, frame
    /// 0 comes first and the steps begin at frame 1.
    case published(anchorFirst: Bool)

    /// The range of a model's `maximumFrames`.
    package static let limits = 1...512

    /// Ascending indices of the frames to read: at most `limit`, which is at least 1. If there are
    /// no more than `limit` frames, all are read.
    package func indices(count: Int, limit: Int, random: inout RandomStream) -> [Int] {
        guard count > limit else { return Array(0..<count) }
        switch self {
        case .even:
            guard limit > 1 else { return [count / 2] }
            return (0..<limit).map { ($0 * (count - 1) + (limit - 1) / 2) / (limit - 1) }
        case .jittered:
            return (0..<limit).map {
                Int.random(in: $0 * count / limit..<($0 + 1) * count / limit, using: &random)
            }
        case .published(let anchorFirst):
            let pinned = anchorFirst ? 1 : 0
            let step = Double(count - pinned) / Double(limit - pinned)
            return Array(0..<pinned) + (0..<limit - pinned).map { pinned + Int(clamping: Double($0) * step) }
        }
    }
}
