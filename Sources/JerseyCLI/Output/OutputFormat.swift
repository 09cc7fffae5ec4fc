import ArgumentParser
import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

/// A way of writing predictions.
struct OutputFormat: Sendable, Catalogued {
    let name: String
    let summary: String
    /// Whether it is made of a tracker's boxes, and so needs a video.
    var needsBoxes = false
    /// Whether it has cells that a spreadsheet might take for formulas, which `--raw` leaves as they are.
    var hasCells = false
    /// - Throws: `UsageError` where the format cannot hold the predictions.
    let text: @Sendable (Content) throws -> String

    /// What there is to write.
    struct Content {
        var predictions: [Prediction]
        /// Cells are exactly what they are, whatever a spreadsheet makes of them.
        var isRaw = false
        /// The boxes of the video that was read.
        var boxes: TrackBoxes?
        /// Folders without frames.
        var emptyFolders: [String] = []
    }

    /// All there are. `jersey predict`, its help and docs/reference read this list.
    static let all: [OutputFormat] = [.table, .json, .jsonl, .csv, .mot, .soccernet]
    static let kind = "output format"
}

extension OutputFormat: ExpressibleByArgument {}

/// Options whose values are of a list.
extension ExpressibleByArgument where Self: Catalogued {
    init?(argument: String) {
        guard let found = Self.find(argument) else { return nil }
        self = found
    }

    static var allValueStrings: [String] { names }
    var defaultValueDescription: String { name }
}

// MARK: - The formats

extension OutputFormat {
    static let table = OutputFormat(name: "table", summary: "a table for people") {
        Table($0.predictions).description + "\n"
    }

    static let json = OutputFormat(name: "json", summary: "an array of objects") {
        JSON.text(try JSON.output($0.predictions))
    }

    static let jsonl = OutputFormat(name: "jsonl", summary: "an object a line") {
        try $0.predictions.map { JSON.text(try JSON.line($0)) + "\n" }.joined()
    }

    static let soccernet = OutputFormat(name: "soccernet", summary: "a submission to SoccerNet's challenge") {
        // A submission must also say of folders without frames that nothing can be read.
        try SoccerNetLabels($0.predictions, unread: $0.emptyFolders).json
    }
}
