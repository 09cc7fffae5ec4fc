import ArgumentParser
import Foundation
import Jersey

/// jersey's side of `rosters.py`: applies rosters to predictions.
struct RostersBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rosters",
        abstract:
            "For each roster's path on standard input, prints the number and confidence of every prediction.")

    @Argument(help: "Output of `jersey predict --format jsonl`.") var predictions: String

    private struct Answers: Encodable {
        /// Null if the prediction contradicts the roster.
        let numbers: [String?]
        let confidences: [Double?]
    }

    func run() throws {
        let predictions: [Prediction] = try jsonLines(predictions)
        while let path = readLine() {
            let roster = try Roster(contentsOf: path)
            let constrained = predictions.map { $0.constrained(to: roster) }
            let numbers = constrained.map { $0.number?.description }
            try printJSON(Answers(numbers: numbers, confidences: constrained.map(\.confidence)))
        }
    }
}
