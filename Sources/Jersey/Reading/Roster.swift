import Foundation

/// Who wears which number. It limits what a prediction can be, and names the player.
public struct Roster: Sendable, Equatable {
    /// A player of a roster.
    public struct Player: Codable, Sendable, Equatable {
        /// The name of the team, as in the file; may be empty.
        public let team: String
        /// The name of the player, as in the file; may be empty.
        public let name: String
    }

    package let path: String
    /// The players of each number, in the file's order, at most one of each team. There is at least
    /// one number.
    public let players: [JerseyNumber: [Player]]
    /// The players of the teams that were left out.
    package let others: [JerseyNumber: [Player]]

    /// An unlisted number contradicts the roster from this probability on, at which it is at least
    /// as probable as all others together.
    package static let conflict = 0.5

    /// Reads a roster from a table.
    ///
    /// - Parameters:
    ///   - path: a CSV file in UTF-8 whose first line names the columns team, number and name, in
    ///     any order and among others.
    ///   - team: takes only the players of this team; nil takes all.
    /// - Throws: `FileError` with the line for a text that is not a number, a number that one team
    ///   lists twice, and a missing column; `UsageError` for a team that is not in the table.
    public init(contentsOf path: String, team: String? = nil) throws {
        try self.init(TableRows(contentsOf: path, columns: Self.columns), path, team: team)
    }

    /// - Parameter path: what errors call the table.
    /// - Throws: as for a file.
    package init(_ content: Data, named path: String, team: String? = nil) throws {
        try self.init(TableRows(content, named: path, columns: Self.columns), path, team: team)
    }

    private static let columns = ["team", "number", "name"]

    private init(_ rows: TableRows, _ path: String, team: String?) throws {
        var (players, others): ([JerseyNumber: [Player]], [JerseyNumber: [Player]]) = ([:], [:])
        var lines: [String: Int] = [:]
        var teams: [String] = []
        var known: Set<String> = []
        for (line, cells) in rows.rows {
            let player = Player(team: cells[0], name: cells[2])
            guard let number = JerseyNumber(Self.number(cells[1])) else {
                throw FileError(
                    path, "has '\(Shown.text(cells[1], limit: 40))' as a number in line \(line)",
                    advice: "shirt numbers are 0...9 and 00...99")
            }
            if let other = lines.updateValue(line, forKey: "\(number)/\(player.team)") {
                throw FileError(
                    path,
                    "lists number \(number) of \(player.team.isEmpty ? "one team" : player.team) twice, in lines \(other) and \(line)",
                    advice:
                        "a number belongs to one player of a team; remove one of the lines, or correct the team"
                )
            }
            if known.insert(player.team).inserted { teams.append(player.team) }
            if team == nil || team == player.team {
                players[number, default: []].append(player)
            } else {
                others[number, default: []].append(player)
            }
        }
        if let team, !known.contains(team) {
            throw UsageError.unknown(
                "team", team, among: teams,
                advice: "the teams of \(path) are \(teams.joined(separator: ", "))")
        }
        guard !players.isEmpty else {
            throw FileError(
                path, "lists no players", advice: "add one line for each player after the first line")
        }
        self.path = path
        self.players = players
        self.others = others
    }

    /// A number without what spreadsheets and people add: "7.0", "#7".
    private static func number(_ cell: String) -> String {
        let digits = cell.hasPrefix("#") ? String(cell.dropFirst()) : cell
        guard let dot = digits.firstIndex(of: "."), digits[dot...].dropFirst().allSatisfy({ $0 == "0" })
        else {
            return digits
        }
        return String(digits[..<dot])
    }

    /// The listed numbers with their probabilities among themselves, most probable first. The
    /// evidence for a number is multiplied by the number of players who wear it.
    func listed(_ digits: DigitDistribution) -> [(number: JerseyNumber, probability: Double)] {
        let scores = players.map { ($0, digits.logProbability(of: $0) + log(Double($1.count))) }
        let top = scores.map(\.1).max() ?? 0
        let total = scores.reduce(0) { $0 + exp($1.1 - top) }
        return scores.map { (number: $0, probability: exp($1 - top) / total) }.sorted {
            ($0.probability, $1.number) > ($1.probability, $0.number)
        }
    }
}

extension Prediction {
    /// The prediction when only the roster's numbers are possible.
    ///
    /// The confidence is then the probability among the roster's numbers. Where a number that is
    /// not listed has a probability of at least 0.5, there is no answer but a `conflict`: the
    /// roster, the tracker or the model is wrong.
    ///
    /// - Parameter roster: who can be seen.
    public func constrained(to roster: Roster) -> Prediction {
        guard let digits else { return self }
        let (seen, listed) = (digits.number, roster.listed(digits))
        var prediction = self
        prediction.top = listed.prefix(3).map { Candidate(number: $0.number, probability: $0.probability) }
        if roster.players[seen] == nil, digits.probability(of: seen) >= Roster.conflict {
            prediction.conflict = Candidate(number: seen, probability: digits.probability(of: seen))
            prediction.number = nil
            prediction.confidence = nil
            prediction.unreadable = false
        } else if let best = listed.first {
            prediction.confidence = best.probability
            prediction.unreadable = calibration.map { best.probability < $0.threshold } ?? false
            prediction.number = prediction.unreadable ? nil : best.number
            prediction.players = prediction.number.flatMap { roster.players[$0] }
        }
        return prediction
    }
}
