import Synchronization

/// The mode of a forward pass, evaluation or training, and its observers.
package struct Pass: Sendable {
    /// Evaluation without observers: batch norm uses its running statistics, and dropout keeps
    /// everything.
    package static let evaluation = Pass()

    package let meter: OperationMeter?
    let ranges: RangeObserver?
    private let draws: Draws?

    /// Evaluation.
    ///
    /// - Parameters:
    ///   - meter: counts the operations.
    ///   - ranges: records the output ranges of convolutions.
    package init(meter: OperationMeter? = nil, ranges: RangeObserver? = nil) {
        self.init(meter, ranges, nil)
    }

    /// Training: batch norm uses the batch and updates its statistics, and dropout drops.
    ///
    /// - Parameter seed: determines the random draws, together with their order within the pass.
    package static func training(seed: UInt64) -> Pass { Pass(nil, nil, Draws(seed: seed)) }

    private init(_ meter: OperationMeter?, _ ranges: RangeObserver?, _ draws: Draws?) {
        self.meter = meter
        self.ranges = ranges
        self.draws = draws
    }

    package var isTraining: Bool { draws != nil }
    package var isWatched: Bool { meter != nil || ranges != nil }

    /// The seed of the next draw; nil in evaluation.
    func nextSeed() -> UInt64? { draws?.next() }
}

/// The seeds of the draws in one pass.
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
