import CTorch
import Synchronization

/// The mode of a forward pass, evaluation or training, and its observers.
package struct Pass: Sendable {
    /// Evaluation without observers: batch norm uses its running statistics, and dropout keeps
    /// everything.
    package static let evaluation = Pass()

    package let meter: OperationMeter?
    let ranges: RangeObserver?
    /// This process's rows of the batch; nil if it has all of them.
    let share: BatchShare?
    /// Where the statistics of batch norm are summed; nil if each process has its own.
    let statistics: BatchStatistics?
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
    /// - Parameters:
    ///   - seed: determines the random draws, together with their order within the pass.
    ///   - share: this process's rows of the batch; nil if it has all of them.
    ///   - group: the processes over which batch norm takes its statistics; nil for this one
    ///     alone. The pass must then outlive the backward pass.
    package static func training(
        seed: UInt64, share: BatchShare? = nil, statisticsOver group: (any ProcessGroup)? = nil
    ) -> Pass {
        let statistics = group.map { BatchStatistics($0, counts: share?.counts ?? true) }
        return Pass(nil, nil, Draws(seed: seed), share, statistics)
    }

    private init(
        _ meter: OperationMeter?, _ ranges: RangeObserver?, _ draws: Draws?, _ share: BatchShare? = nil,
        _ statistics: BatchStatistics? = nil
    ) {
        self.meter = meter
        self.ranges = ranges
        self.draws = draws
        self.share = share
        self.statistics = statistics
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

/// The sums of batch norm over all processes of a group.
final class BatchStatistics: Sendable {
    private let group: any ProcessGroup
    private let counts: Bool

    /// - Parameter counts: whether this process's rows count.
    init(_ group: any ProcessGroup, counts: Bool) {
        self.group = group
        self.counts = counts
    }

    /// For the shim, as long as this object lives.
    var sums: ct_sums {
        ct_sums(
            context: Unmanaged.passUnretained(self).toOpaque(),
            sum: { context, values, count in
                Unmanaged<BatchStatistics>.fromOpaque(context).takeUnretainedValue().group
                    .sum(UnsafeMutableBufferPointer(start: values, count: count))
            }, counts: counts)
    }
}
