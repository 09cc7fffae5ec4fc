import Foundation
import Jersey

/// How long something takes, read again and again.
public struct Timing: Encodable, Sendable {
    /// Seconds.
    public let mean: Double
    public let p50: Double
    public let p95: Double
    public let p99: Double
    public let readings: Int

    init(_ seconds: [Double]) {
        let sorted = seconds.sorted()
        (mean, readings) = (seconds.reduce(0, +) / Double(max(seconds.count, 1)), seconds.count)
        (p50, p95, p99) = (sorted.quantile(0.5), sorted.quantile(0.95), sorted.quantile(0.99))
    }

    /// Rounds before those that count.
    static let warmUpRounds = 2

    /// Each body's time, taken in turns, after `warmUpRounds`: a machine that others use as well drifts for all alike.
    ///
    /// - Parameter calls: how often a body runs for one reading; more for what is over in microseconds.
    static func inTurns<Failure: Error>(
        rounds: Int, calls: Int = 1, _ bodies: [() throws(Failure) -> Void]
    ) throws(Failure) -> [Timing] {
        var seconds = [[Double]](repeating: [], count: bodies.count)
        for round in 0..<warmUpRounds + rounds {
            for (index, body) in bodies.enumerated() {
                let start = ContinuousClock.now
                for _ in 0..<calls { try body() }
                if round >= warmUpRounds { seconds[index].append((ContinuousClock.now - start).seconds / Double(calls)) }
            }
        }
        return seconds.map(Timing.init)
    }

    /// Readings for which there is half a minute, 5 to 101.
    ///
    /// - Parameter times: how many times as long as `bodies` is what will be read.
    static func rounds<Failure: Error>(_ bodies: [() throws(Failure) -> Void], times: Int = 1) throws(Failure) -> Int {
        let once = try inTurns(rounds: 3, bodies).reduce(0) { $0 + $1.p50 } * Double(times)
        return max(5, min(101, Int(30 / max(once, 1e-6))))
    }

    static func / (timing: Timing, count: Double) -> Timing {
        Timing(
            mean: timing.mean / count, p50: timing.p50 / count, p95: timing.p95 / count, p99: timing.p99 / count, timing.readings)
    }

    private init(mean: Double, p50: Double, p95: Double, p99: Double, _ readings: Int) {
        (self.mean, self.p50, self.p95, self.p99, self.readings) = (mean, p50, p95, p99, readings)
    }

    static let columns = ["mean", "P50", "P95", "P99"]

    /// Milliseconds, as `columns` has them.
    var cells: [String] { [mean, p50, p95, p99].map { String(format: "%.2f", $0 * 1e3) } }

    /// "1.23 ms" or "45.6 µs".
    static func text(_ seconds: Double) -> String {
        seconds < 1e-3 ? String(format: "%.1f µs", seconds * 1e6) : String(format: "%.2f ms", seconds * 1e3)
    }
}
