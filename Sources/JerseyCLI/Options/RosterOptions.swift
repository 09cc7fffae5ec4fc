import ArgumentParser
import Jersey
import JerseyOutput

/// A list of players, to which predictions keep.
struct RosterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Table of players (columns team, number, name): only its numbers are possible, and the player is named.",
            valueName: "file"))
    var roster: String?

    @Option(help: ArgumentHelp("Of the roster, this team only.", valueName: "name"))
    var team: String?

    func validate() throws {
        guard team == nil || roster != nil else { throw ValidationError("--team needs a --roster") }
    }

    /// - Throws: what `Roster` throws.
    func read() throws -> Roster? { try roster.map { try Roster(contentsOf: $0, team: team) } }

    /// Says which predictions contradict the roster.
    static func report(_ predictions: [Prediction], _ roster: Roster) {
        let conflicts = predictions.compactMap { prediction in prediction.conflict.map { (prediction.sequence, $0) } }
        Console.list(conflicts, rest: "conflicts; --format json has all") { sequence, seen in
            let share = Format.percent(seen.probability, places: 0)
            return
                "conflict: \(sequence) looks like \(seen.number) (\(share)), which \(roster.path) \(Self.standing(of: seen.number, in: roster))"
        }
    }

    /// What there is of a number that is not listed.
    private static func standing(of number: JerseyNumber, in roster: Roster) -> String {
        if let others = roster.others[number] {
            return "lists for " + others.map { "\($0.name) of \($0.team)" }.joined(separator: " and ") + " only"
        }
        // Spreadsheets write 7 as 07, and the other way round.
        if let twin = number.twin, roster.players[twin] != nil {
            return "does not list; it has \(twin), which is another number: one shirt shows a zero"
        }
        return "does not list"
    }
}
