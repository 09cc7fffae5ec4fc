import Foundation
import Jersey
import JerseyOutput

extension OutputFormat {
    /// RFC 4180. Columns for a video and for a roster come last, and only with one.
    static let csv = OutputFormat(
        name: "csv", summary: "one row per prediction or player, with a header", hasCells: true
    ) { content in
        if let players = content.players { return Self.rows(players, isRaw: content.isRaw) }
        let columns = PredictionColumns(
            hasSpans: content.predictions.contains { $0.span != nil },
            hasPlayers: content.predictions.contains { $0.players != nil || $0.conflict != nil })
        return ([columns.header] + content.predictions.map(columns.cells))
            .map { CSV.row($0, isRaw: content.isRaw) }.joined()
    }

    /// A row for each player, and for each track without a number.
    private static func rows(_ table: PlayerTable, isRaw: Bool) -> String {
        let header = [
            "team", "number", "player", "confidence", "first_second", "last_second", "seconds", "tracks",
            "colour",
        ]
        let rows = (table.players + table.unnumbered).map { player in
            [
                player.team ?? "", player.number?.description ?? "", player.names.joined(separator: " / "),
                player.confidence.map(number) ?? "", number(player.firstSecond), number(player.lastSecond),
                number(player.seconds), player.tracks.joined(separator: " "), player.colour ?? "",
            ]
        }
        return ([header] + rows).map { CSV.row($0, isRaw: isRaw) }.joined()
    }

    fileprivate static func number(_ value: Double) -> String { Format.decimal(value, places: 6) }
}

/// The columns of predictions.
struct PredictionColumns {
    /// Whether there are columns for tracks of a video.
    let hasSpans: Bool
    /// Whether there are columns for a roster.
    let hasPlayers: Bool

    var header: [String] {
        [
            "sequence", "track", "number", "confidence", "first", "first_probability", "second",
            "second_probability", "third", "third_probability", "frames", "left_out",
        ]
            + (0...9).map { "tens_\($0)" } + ["tens_blank"] + (0...9).map { "ones_\($0)" } + ["unreadable"]
            + (hasSpans ? ["first_frame", "last_frame", "player_id"] : [])
            + (hasPlayers ? ["player", "team", "conflict", "conflict_probability"] : [])
    }

    func cells(_ prediction: Prediction) -> [String] {
        let number = OutputFormat.number
        // The first is the number if there is one, else the best guess.
        let top = prediction.top.flatMap { [$0.number.description, number($0.probability)] }
        let players = prediction.players ?? []
        let digits =
            prediction.digits == nil
            ? Array(repeating: "", count: 21) : (prediction.tens + prediction.ones).map(number)
        return [
            prediction.sequence, prediction.track, prediction.number?.description ?? "",
            prediction.confidence.map(number) ?? "",
        ]
            + top + Array(repeating: "", count: max(0, 6 - top.count))
            + ["\(prediction.frames.count)", "\(prediction.leftOut.count)"] + digits
            + ["\(prediction.unreadable)"]
            + (hasSpans
                ? [
                    prediction.span.map { "\($0.lowerBound)" } ?? "",
                    prediction.span.map { "\($0.upperBound)" } ?? "", prediction.playerID ?? "",
                ] : [])
            + (hasPlayers
                ? [
                    players.map(\.name).joined(separator: " / "),
                    players.map(\.team).joined(separator: " / "),
                    prediction.conflict?.number.description ?? "",
                    prediction.conflict.map { number($0.probability) } ?? "",
                ] : [])
    }
}
