import Synchronization

/// What a forward pass is for, and who watches it.
package struct Pass: Sendable {
    /// Reading, unwatched: batch norm uses its running statistics, and dropout keeps everything.
    package static let evaluation = Pass()

    package let meter: OperationMeter?
    let ranges: RangeObserver?
    private let draws: Draws?

    /// Reading.
    ///
    /// - Parameters:
    ///   - meter: counts the work.
    ///   - ranges: sees what convolutions put out.
    package init(meter: OperationMeter? = nil, ranges: RangeObserver? = nil) {
        self.init(meter, ranges, nil)
    }

    /// Training: batch norm uses the batch and updates its statistics, and dropout drops.
    ///
    /// - Parameter seed: the draws depend on it, and on their order within the pass.
    package static func training(seed: UInt64) -> Pass { Pass(nil, nil, Draws(seed: seed)) }

    private init(_ meter: OperationMeter?, _ ranges: RangeObserver?, _ draws: Draws?) {
        self.meter = meter
        self.ranges = ranges
        self.draws = draws
    }

    package var isTraining: Bool { draws != nil }
    package var isWatched: Bool { meter != nil || ranges != nil }

    /// The seed of the next draw; nil in reading.
    func nextSeed() -> UInt64? { draws?.next() }
}

/// The draws of one pass.
private final class Draws: Sendable {
    private let seed: UInt64
    private let count = Atomic<UInt64>(0)

    init(seed: UInt64) {
        self.seed = seed
    }

    func next() -> UInt64 {
        seed &+ count.wrappingAdd(1, ordering: .relaxed).newValue &* 0x9e37_79b9_7f4a_7c15
    }
}
