/// Which frames of a long sequence are read.
package enum FrameSampling: Sendable, Equatable {
    /// Evenly spaced, first and last included.
    case even
    /// A random frame of each of `limit` even stretches.
    case jittered
    /// The study's: steps of equal length that never reach the last frame, and frame 0 always in front.
    case published(anchorFirst: Bool)

    /// Most frames of a sequence that a model may be given.
    package static let limits = 1...512

    /// Ascending indices, at most `limit` (at least 1), all of 0..<count where they fit.
    package func indices(count: Int, limit: Int, random: inout RandomStream) -> [Int] {
        guard count > limit else { return Array(0..<count) }
        switch self {
        case .even:
            guard limit > 1 else { return [count / 2] }
            return (0..<limit).map { ($0 * (count - 1) + (limit - 1) / 2) / (limit - 1) }
        case .jittered:
            return (0..<limit).map { Int.random(in: $0 * count / limit..<($0 + 1) * count / limit, using: &random) }
        case .published(let anchorFirst):
            let pinned = anchorFirst ? 1 : 0
            let step = Double(count - pinned) / Double(limit - pinned)
            return Array(0..<pinned) + (0..<limit - pinned).map { pinned + Int(clamping: Double($0) * step) }
        }
    }
}
