import ArgumentParser
import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

/// A format for predictions.
struct OutputFormat: Sendable, Catalogued {
    let name: String
    let summary: String
    /// Whether it lists a tracker's boxes, and so needs a video.
    var needsBoxes = false
    /// Whether it names each track once, so that none may be cut.
    var needsWholeTracks = false
    /// Whether it has cells that a spreadsheet might take for formulas; `--raw` keeps those
    /// unchanged.
    var hasCells = false
    /// - Throws: `UsageError` if the format cannot hold the predictions.
    let text: @Sendable (Content) throws -> String

    /// The content to write.
    struct Content {
        var predictions: [Prediction]
        /// Whether cells stay unchanged, even if a spreadsheet would take them for formulas.
        var isRaw = false
        /// The boxes in the video.
        var boxes: TrackBoxes?
        /// Who was seen in a video whose people we followed ourselves.
        var players: PlayerTable?
        /// Folders without frames.
        var emptyFolders: [String] = []
    }

    /// All formats. `jersey predict`, its help and docs/reference read this list.
    static let all: [OutputFormat] = [.table, .json, .jsonl, .csv, .mot, .soccernet]
    static let kind = "output format"
}

extension OutputFormat: ExpressibleByArgument {}

/// Options whose values come from a catalogue.
extension ExpressibleByArgument where Self: Catalogued {
    init?(argument: String) {
        guard let found = Self.find(argument) else { return nil }
        self = found
    }

    /// Refuses names that promise a file of another kind than text.
    ///
    /// - Throws: `FileError`.
    static func checkName(_ path: String) throws {
        let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
        let others = [
            "xlsx", "xls", "ods", "numbers", "pdf", "docx", "parquet", "png", "jpg", "jpeg", "zip", "gz",
            "db", "sqlite", "mp4",
        ]
        guard others.contains(ending) else { return }
        throw FileError(
            path, "would be a text file named .\(ending)",
            advice: "use .csv, which spreadsheets open, or another of \(names.joined(separator: ", "))")
    }

    static var allValueStrings: [String] { names }
    var defaultValueDescription: String { name }
}

// MARK: - The formats

extension OutputFormat {
    static let table = OutputFormat(name: "table", summary: "a table for people") {
        content in
        guard let players = content.players else { return Table(content.predictions).description + "\n" }
        let tables = [
            players.players.isEmpty ? "no number was read" : Table(players.players).description,
            players.unnumbered.isEmpty
                ? nil : "tracks without a number:\n" + Table(players.unnumbered).description,
        ]
        return tables.compactMap(\.self).joined(separator: "\n\n") + "\n"
    }

    static let json = OutputFormat(
        name: "json",
        summary: "an array of objects; of a video without boxes, an object with players and tracks"
    ) {
        guard let players = $0.players else { return JSON.text(try JSON.output($0.predictions)) }
        return JSON.text(try JSON.output(players))
    }

    static let jsonl = OutputFormat(
        name: "jsonl", summary: "one object per line: a prediction, or a player of a video without boxes"
    ) {
        guard let players = $0.players else {
            return try $0.predictions.map { JSON.text(try JSON.line($0)) + "\n" }.joined()
        }
        return try (players.players + players.unnumbered).map { JSON.text(try JSON.line($0)) + "\n" }.joined()
    }

    static let soccernet = OutputFormat(
        name: "soccernet", summary: "a submission to SoccerNet's challenge", needsWholeTracks: true
    ) {
        // A submission must also list folders without frames, as unreadable.
        try SoccerNetLabels($0.predictions, unread: $0.emptyFolders).json
    }
}
