import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Scores a submission to SoccerNet's jersey number challenge as the official scorer does.",
        discussion: """
            Refuses what would break the official scorer: missing players, and numbers given as text or fractions. Scores come with \
            Wilson's 95% interval.

            Example: jersey dataset score test/test_gt.json submission.json
            """)

    @Argument(help: ArgumentHelp("SoccerNet's ground truth.", valueName: "ground truth"))
    var truth: String

    @Argument(help: ArgumentHelp("Output of `jersey predict --format soccernet`.", valueName: "submission"))
    var submission: String

    func run() throws {
        let truth = try SoccerNetLabels(contentsOf: truth)
        let right = try truth.right(in: SoccerNetLabels(contentsOf: submission))
        let groups = [
            ("all", Set(truth.numbers.keys)),
            ("with a number", Set(truth.numbers.filter { $0.value >= 0 }.keys)),
            ("unreadable (-1)", Set(truth.numbers.filter { $0.value < 0 }.keys)),
        ]
        let rows = groups.map { name, players in
            [name, "\(players.count)", Proportion(right.intersection(players).count, of: players.count).text]
        }
        Console.print(Table(["players", "count", "right"], rows: rows))
    }
}
