import ArgumentParser
import Foundation
import Jersey
import JerseyLab

/// jersey's side of `window_correlation.py`: combines the sequences of each track.
struct WindowsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "windows",
        abstract:
            "For each correlation on standard input, prints how well it reads tracks of at least three sequences."
    )

    @Argument(help: "A run's outcomes.jsonl.") var outcomes: String

    private struct Result: Encodable {
        let tracks: Int
        /// Mean negative log-likelihood of the true number, in nats.
        var loss = 0.0
        /// Mean, 0...1.
        var confidence = 0.0
        /// Share of the tracks, 0...1.
        var right = 0.0
    }

    func run() throws {
        let rows: [Outcome] = try jsonLines(outcomes)
        let byTrack = Dictionary(grouping: rows, by: \.track).sorted { $0.key < $1.key }.map(\.value)
        let tracks = byTrack.filter { $0.count > 2 }.compactMap { rows in
            rows[0].truth.flatMap(JerseyNumber.init).map { (truth: $0, rows: rows) }
        }
        while let line = readLine() {
            guard let correlation = Double(line) else { throw ValidationError("'\(line)' is not a number") }
            var result = Result(tracks: tracks.count)
            for (truth, rows) in tracks {
                let windows = rows.map { DigitDistribution(probabilities: $0.tens, $0.ones) }
                let digits = DigitDistribution(windows: windows, correlation: correlation)
                result.loss -= log(digits.probability(of: truth)) / Double(tracks.count)
                result.confidence += digits.confidence / Double(tracks.count)
                result.right += digits.number == truth ? 1 / Double(tracks.count) : 0
            }
            try printJSON(result)
        }
    }
}
