import Jersey
import JerseyOutput

extension Table {
    /// One row per player of a video.
    ///
    /// - Parameter players: with or without a number.
    package init(_ players: [Player]) {
        let hasNames = players.contains { !$0.names.isEmpty }
        let hasNumbers = players.contains { $0.number != nil }
        let rows = players.map { player in
            [player.team ?? ""] + (hasNumbers ? [player.number?.description ?? "-"] : [])
                + (hasNames ? [player.names.joined(separator: " or ")] : [])
                + (hasNumbers ? [Format.percent(player.confidence, places: 1)] : [])
                + [
                    Self.moment(player.firstSecond), Self.moment(player.lastSecond),
                    Format.decimal(player.seconds, places: 1), Self.listed(player.tracks),
                ]
        }
        self.init(
            ["team"] + (hasNumbers ? ["number"] : []) + (hasNames ? ["player"] : [])
                + (hasNumbers ? ["confidence"] : []) + ["from", "to", "seconds", "tracks"], rows: rows)
    }

    /// "1:02.4".
    static func moment(_ seconds: Double) -> String {
        let tenths = Int(clamping: (max(seconds, 0) * 10).rounded())
        let rest = tenths % 600
        return "\(tenths / 600):\(rest < 100 ? "0" : "")\(rest / 10).\(rest % 10)"
    }

    private static func listed(_ tracks: [String]) -> String {
        let shown = tracks.prefix(6).joined(separator: ", ")
        return tracks.count > 6 ? "\(shown) and \(tracks.count - 6) more" : shown
    }
}
