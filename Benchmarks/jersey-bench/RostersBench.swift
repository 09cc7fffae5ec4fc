import ArgumentParser
import Foundation
import Jersey

/// Our side of `rosters.py`: what a roster makes of predictions.
struct RostersBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rosters",
        abstract: "For each roster whose path comes on standard input: number and confidence of every prediction.")

    @Argument(help: "What `jersey predict --format jsonl` wrote.") var predictions: String

    private struct Answers: Encodable {
        /// Null where the roster is contradicted.
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
