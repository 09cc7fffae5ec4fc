import Foundation

/// Timings that survive a machine which others use as well.
enum Latency {
    /// Median seconds of each body, taken in turns, after two rounds that do not count: drift meets all of them alike.
    ///
    /// - Parameter calls: how often a body runs for one reading; more for what is over in microseconds.
    static func medians(rounds: Int, calls: Int = 1, _ bodies: [() -> Void]) -> [Double] {
        var seconds = bodies.map { _ in [Double]() }
        for round in 0..<rounds + 2 {
            for (index, body) in bodies.enumerated() {
                let start = ContinuousClock.now
                for _ in 0..<calls { body() }
                if round >= 2 { seconds[index].append((ContinuousClock.now - start).seconds / Double(calls)) }
            }
        }
        return seconds.map { $0.sorted().quantile(0.5) }
    }

    /// "1.23 ms" or "45.6 µs".
    static func text(_ seconds: Double) -> String {
        seconds < 1e-3 ? String(format: "%.1f µs", seconds * 1e6) : String(format: "%.2f ms", seconds * 1e3)
    }
}
