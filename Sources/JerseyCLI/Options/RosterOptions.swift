import ArgumentParser
import Jersey
import JerseyOutput

/// The roster that predictions must match.
struct RosterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Table of players (columns team, number, name). Only its numbers are possible, and predictions name the player.",
            valueName: "file"))
    var roster: String?

    @Option(help: ArgumentHelp("Use only this team of the roster.", valueName: "name"))
    var team: String?

    func validate() throws {
        guard team == nil || roster != nil else { throw ValidationError("--team needs --roster") }
    }

    /// - Throws: what `Roster` throws.
    func read() throws -> Roster? { try roster.map { try Roster(contentsOf: $0, team: team) } }

    /// Prints the predictions that contradict the roster.
    static func report(_ predictions: [Prediction], _ roster: Roster) {
        let conflicts = predictions.compactMap { prediction in
            prediction.conflict.map { (prediction.sequence, $0) }
        }
        Console.list(conflicts, rest: "conflicts; --format json has all") { sequence, seen in
            let share = Format.percent(seen.probability, places: 0)
            return
                "conflict: \(sequence) looks like \(seen.number) (\(share)), which \(roster.path) \(Self.standing(of: seen.number, in: roster))"
        }
    }

    /// The rest of the sentence about a number that the roster does not list.
    private static func standing(of number: JerseyNumber, in roster: Roster) -> String {
        if let others = roster.others[number] {
            return "lists for " + others.map { "\($0.name) of \($0.team)" }.joined(separator: " and ")
                + " only"
        }
        // Spreadsheets turn 07 into 7, and people write 7 as 07.
        if let twin = number.twin, roster.players[twin] != nil {
            return "does not list; it has \(twin), a different number (with or without a zero on the shirt)"
        }
        return "does not list"
    }
}
