import Foundation

/// A player of a video: who it is, and when he is seen.
package struct Player: Sendable, Equatable, Codable {
    /// "A", "B" or "other", or the name of the team by the roster; nil where it is unknown.
    package var team: String?
    /// The colour of the shirt as "#rrggbb".
    package var colour: String?
    /// Nil for a track whose number was not read.
    package let number: JerseyNumber?
    /// By the roster; several where it does not tell.
    package var names: [String]
    /// The confidence of the surest track, 0...1. Nil without a number.
    package let confidence: Double?
    /// How long he is in the picture, in seconds.
    package let seconds: Double
    /// When he is seen, in time order; at least one.
    package let pieces: [Piece]

    /// A track, or a piece of one, that shows a player.
    package struct Piece: Sendable, Equatable, Codable {
        package let track: String
        /// The first and the last moment, in seconds from the start of the video.
        package let firstSecond, lastSecond: Double
        /// The first and the last frame, as the tracks count.
        package let firstFrame, lastFrame: Int

        private enum CodingKeys: String, CodingKey {
            case track
            case firstSecond = "first_second"
            case lastSecond = "last_second"
            case firstFrame = "first_frame"
            case lastFrame = "last_frame"
        }
    }

    /// The first moment at which he is seen, in seconds from the start of the video.
    package var firstSecond: Double { pieces.map(\.firstSecond).min() ?? 0 }
    /// The last moment.
    package var lastSecond: Double { pieces.map(\.lastSecond).max() ?? 0 }
    package var tracks: [String] { pieces.map(\.track) }

    private enum CodingKeys: String, CodingKey {
        case team, colour, number, names, confidence, seconds, pieces
    }

    /// Encodes every key, so that all rows have the same.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(team, forKey: .team)
        try container.encode(colour, forKey: .colour)
        try container.encode(number, forKey: .number)
        try container.encode(names, forKey: .names)
        try container.encode(confidence, forKey: .confidence)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(pieces, forKey: .pieces)
    }
}

/// The players of a video, from what was read of its tracks.
///
/// Tracks of one team with one number are one player, for nobody is in two places at once: where
/// two of them are seen at the same time, the surer one is the player, and the other has no number.
/// Neither has a track whose number was seen on a shirt of the other team, for it is that of somebody
/// in front. Several tracks that are unsure by themselves are a player if they agree
/// (`agreements`).
///
/// Encoded, it has `players`, those with a number first, and `tracks`, with what was read of them.
package struct PlayerTable: Sendable, Equatable, Encodable {
    /// Those with a number, by team and number.
    package let players: [Player]
    /// The tracks without a number, in time order.
    package let unnumbered: [Player]
    /// What was read of the tracks. A number that cannot be right is taken away.
    package let predictions: [Prediction]

    /// A track, or a piece of one.
    struct Piece {
        let index: Int
        let shirt: ShirtColour?
        let side: Teams.Side?
        let span: ClosedRange<Int>
        let frames: Int
        let seconds: Double

        /// Whether two are seen at the same time for longer than a tracker needs to end an old track
        /// after it has begun a new one.
        func isSeenWith(_ other: Piece) -> Bool {
            min(span.upperBound, other.span.upperBound) - max(span.lowerBound, other.span.lowerBound)
                >= PlayerTable.tolerance
        }
    }

    /// - Parameters:
    ///   - predictions: of the tracks, or pieces of them, constrained to a roster if there is one.
    ///   - video: what was followed.
    ///   - teams: of its tracks.
    ///   - roster: who can be seen.
    ///   - names: of the teams by colour; without them the roster names teams, or they are A and B.
    package init(
        _ predictions: [Prediction], in video: TrackedVideo, teams: Teams, roster: Roster? = nil,
        names given: [(colour: ShirtColour, name: String)] = []
    ) {
        var predictions = predictions
        let first = video.boxes.firstFrame
        let places = Dictionary(
            video.boxes.tracks.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var framesOfTrack: [[Int]] = video.boxes.tracks.map { _ in [] }
        for box in video.boxes.boxes { framesOfTrack[Int(box.track)].append(Int(box.frame) + first) }
        let pieces = predictions.indices.compactMap { index -> Piece? in
            guard let track = places[predictions[index].pieceOf ?? predictions[index].track] else {
                return nil
            }
            let frames = framesOfTrack[track]
            guard let span = predictions[index].span ?? frames.first.map({ $0...(frames.last ?? $0) }) else {
                return nil
            }
            // A track that changes players has several colours.
            let seen = frames.filter(span.contains)
            let shirt = video.shirt(ofTrack: track, in: span.lowerBound - first...span.upperBound - first)
            return Piece(
                index: index, shirt: shirt, side: teams.side(of: shirt), span: span,
                frames: seen.count,
                seconds: seen.reduce(0) { $0 + video.duration(ofFrame: $1 - first) })
        }
        let names =
            given.isEmpty
            ? TeamNames(predictions, sides: pieces.map { ($0.index, $0.side) })
            : TeamNames(given, teams)

        var groups: [Key: [Piece]] = [:]
        // The surest first, and the longest among those.
        let bySureness = pieces.sorted {
            let (a, b) = (predictions[$0.index].confidence ?? 0, predictions[$1.index].confidence ?? 0)
            return (b * Double($1.frames), $0.index) < (a * Double($0.frames), $1.index)
        }
        // What was read on the shirt of the other team is the number of somebody in front.
        let own = bySureness.filter {
            !teams.areOpponents($0.side, teams.side(of: predictions[$0.index].shirtAroundNumber))
        }
        for piece in own {
            guard let number = predictions[piece.index].number else { continue }
            let key = Key(side: piece.side, number: number)
            if !groups[key, default: []].contains(where: piece.isSeenWith) {
                groups[key, default: []].append(piece)
            }
        }
        let sure = Set(groups.values.joined().map(\.index))
        for index in predictions.indices where predictions[index].number != nil && !sure.contains(index) {
            predictions[index].number = nil
            predictions[index].unreadable = true
            predictions[index].players = nil
        }
        for (key, agreement) in Self.agreements(own, predictions, besides: Set(groups.keys)) {
            groups[key] = agreement.pieces
            for piece in agreement.pieces {
                predictions[piece.index].number = key.number
                predictions[piece.index].confidence = agreement.confidence
                predictions[piece.index].unreadable = false
                predictions[piece.index].players = roster?.players[key.number]
            }
        }
        func player(_ pieces: [Piece], number: JerseyNumber?) -> Player {
            let inTime = pieces.sorted { ($0.span.lowerBound, $0.index) < ($1.span.lowerBound, $1.index) }
            let side = inTime[0].side
            let known = inTime.flatMap { predictions[$0.index].players ?? [] }
            let shirts = inTime.compactMap(\.shirt)
            return Player(
                team: names.name(of: side), colour: shirts.isEmpty ? nil : ShirtColour.middle(of: shirts).hex,
                number: number, names: names.players(known, of: side),
                confidence: number == nil
                    ? nil : inTime.compactMap { predictions[$0.index].confidence }.max(),
                seconds: inTime.reduce(0) { $0 + $1.seconds },
                pieces: inTime.map { piece in
                    Player.Piece(
                        track: predictions[piece.index].track,
                        firstSecond: video.second(of: piece.span.lowerBound - first),
                        lastSecond: video.second(of: piece.span.upperBound - first),
                        firstFrame: piece.span.lowerBound, lastFrame: piece.span.upperBound)
                })
        }
        let order = groups.keys.sorted { ($0.place, $0.number) < ($1.place, $1.number) }
        players = order.map { player(groups[$0] ?? [], number: $0.number) }
        unnumbered = pieces.filter { predictions[$0.index].number == nil }
            .sorted { ($0.span.lowerBound, $0.index) < ($1.span.lowerBound, $1.index) }
            .map { player([$0], number: nil) }
        // Tracks of one player have the same name of him.
        for group in groups.values {
            let inTime = group.sorted { $0.span.lowerBound < $1.span.lowerBound }
            for piece in inTime { predictions[piece.index].playerID = predictions[inTime[0].index].track }
        }
        self.predictions = predictions
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(players + unnumbered, forKey: .players)
        try container.encode(predictions, forKey: .tracks)
    }

    private enum CodingKeys: CodingKey { case players, tracks }

    struct Key: Hashable {
        let side: Teams.Side?
        let number: JerseyNumber

        /// A, B, others, unknown.
        var place: Int {
            side.flatMap { Teams.Side.allCases.firstIndex(of: $0) } ?? Teams.Side.allCases.count
        }
    }

    /// The most frames in which two tracks of one player may both be seen: a tracker often begins a
    /// new track before the old one ends.
    private static let tolerance = 5
}

/// What the teams are called: as in the roster, if it has two teams and the numbers tell which is
/// which.
struct TeamNames {
    private var names: [Teams.Side: String] = [:]

    init(_ predictions: [Prediction], sides: [(index: Int, side: Teams.Side?)]) {
        var votes: [Teams.Side: [String: Double]] = [:]
        for (index, side) in sides {
            let teams = Set((predictions[index].players ?? []).map(\.team)).filter { !$0.isEmpty }
            // A number that both teams have tells nothing.
            guard let side, side != .other, teams.count == 1, let team = teams.first else { continue }
            votes[side, default: [:]][team, default: 0] += 1
        }
        let teams = Set(votes.values.flatMap(\.keys)).sorted()
        guard teams.count == 2 else { return }
        func count(_ side: Teams.Side, _ team: Int) -> Double { votes[side]?[teams[team]] ?? 0 }
        let straight = count(.a, 0) + count(.b, 1) - count(.a, 1) - count(.b, 0)
        guard straight != 0 else { return }
        names = [.a: teams[straight > 0 ? 0 : 1], .b: teams[straight > 0 ? 1 : 0]]
    }

    /// The pairs of names and teams that are nearest in colour.
    init(_ given: [(colour: ShirtColour, name: String)], _ teams: Teams) {
        let sides = Array(zip([Teams.Side.a, .b], teams.colours))
        let pairs = Assignment.cheapest(rows: given.count, columns: sides.count, limit: 1e4) {
            given[$0].colour.distance(to: sides[$1].1)
        }
        for (given, place) in zip(given, pairs) { place.map { names[sides[$0].0] = given.name } }
    }

    func name(of side: Teams.Side?) -> String? { side.map { names[$0] ?? $0.rawValue } }

    /// The names of those whom a number may mean, in the roster's order.
    func players(_ players: [Roster.Player], of side: Teams.Side?) -> [String] {
        let team = side.flatMap { names[$0] }
        let own = players.filter { team == nil || $0.team == team }
        var seen: Set<String> = []
        return (own.isEmpty ? players : own).map(\.name).filter { !$0.isEmpty && seen.insert($0).inserted }
    }
}

extension TrackedVideo {
    /// The moment of a frame, in seconds from the start.
    ///
    /// - Parameter frame: from 0.
    package func second(of frame: Int) -> Double {
        times.isEmpty ? 0 : times[min(max(frame, 0), times.count - 1)]
    }

    /// How long a frame is shown, in seconds. Phones and calls have frames of different lengths. A
    /// frame before a gap counts no more than a second.
    ///
    /// - Parameter frame: from 0.
    func duration(ofFrame frame: Int) -> Double {
        guard times.count > 1 else { return 0 }
        let next = min(max(frame, 0) + 1, times.count - 1)
        return min(max(times[next] - times[next - 1], 0), 1)
    }
}
