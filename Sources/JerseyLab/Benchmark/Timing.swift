import Foundation
import Jersey
import JerseyOutput

/// Statistics of a repeated time measurement, in seconds.
package struct Timing: Encodable, Sendable {
    package let mean: Double
    /// Sample standard deviation (n − 1); nil for a single reading.
    package let standardDeviation: Double?
    package let minimum: Double
    package let p50: Double
    package let p95: Double
    package let p99: Double
    package let maximum: Double
    package let readings: Int

    private enum CodingKeys: String, CodingKey {
        case mean, standardDeviation, p50, p95, p99, readings
        case minimum = "min"
        case maximum = "max"
    }

    /// - Parameter seconds: must not be empty.
    init(_ seconds: [Double]) {
        let (sorted, summary) = (seconds.sorted(), Summary(seconds))
        mean = summary.mean ?? 0
        readings = summary.n
        standardDeviation = summary.standardDeviation
        minimum = sorted[0]
        maximum = sorted[sorted.count - 1]
        p50 = sorted.quantile(0.5)
        p95 = sorted.quantile(0.95)
        p99 = sorted.quantile(0.99)
    }

    /// Rounds that run first and do not count.
    static let warmUpRounds = 2

    /// Times each body, interleaved, after `warmUpRounds`. Interleaving spreads the drift of a
    /// shared machine over all bodies.
    ///
    /// - Parameter calls: runs of a body per reading. Raise it for bodies that take microseconds.
    static func inTurns<Failure: Error>(
        rounds: Int, calls: Int = 1, _ bodies: [() throws(Failure) -> Void]
    ) throws(Failure) -> [Timing] {
        var seconds = [[Double]](repeating: [], count: bodies.count)
        for round in 0..<warmUpRounds + rounds {
            for (index, body) in bodies.enumerated() {
                let start = ContinuousClock.now
                for _ in 0..<calls { try body() }
                if round >= warmUpRounds {
                    seconds[index].append((ContinuousClock.now - start).seconds / Double(calls))
                }
            }
        }
        return seconds.map(Timing.init)
    }

    /// Seconds to run all bodies once.
    static func once<Failure: Error>(_ bodies: [() throws(Failure) -> Void]) throws(Failure) -> Double {
        try inTurns(rounds: 3, bodies).reduce(0) { $0 + $1.p50 }
    }

    /// The number of rounds that fit in 30 s, from 5 to 101.
    ///
    /// - Parameter once: seconds to run all bodies once.
    static func rounds(once: Double) -> Int { max(5, min(101, Int(clamping: 30 / max(once, 1e-6)))) }

    static func / (timing: Timing, count: Double) -> Timing { Timing(timing) { $0 / count } }

    private init(_ other: Timing, _ scaled: (Double) -> Double) {
        mean = scaled(other.mean)
        standardDeviation = other.standardDeviation.map(scaled)
        minimum = scaled(other.minimum)
        maximum = scaled(other.maximum)
        p50 = scaled(other.p50)
        p95 = scaled(other.p95)
        p99 = scaled(other.p99)
        readings = other.readings
    }

    static let columns = ["mean", "deviation", "min", "P50", "P95", "P99", "max"]

    /// Milliseconds, in the order of `columns`.
    var cells: [String] {
        [mean, standardDeviation, minimum, p50, p95, p99, maximum].map(Format.milliseconds)
    }
}
