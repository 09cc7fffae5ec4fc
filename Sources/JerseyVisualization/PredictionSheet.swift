import Foundation
import Jersey
import JerseyOutput

/// A picture of frames with their weights beside the numbers read.
package enum PredictionSheet {
    /// More rows would make an image too large to open.
    package static let maximumRows = 60

    /// Checks the path for a sheet before any work is done.
    ///
    /// - Throws: `FileError` for an unsupported extension, and what `AtomicFile.check` throws.
    package static func check(_ path: String, unlike inputs: [String] = []) throws {
        guard isPage(path) || path.lowercased().hasSuffix(".png") else {
            throw FileError(
                path, "is neither an image nor a page", advice: "use a name that ends in .png or .html")
        }
        try AtomicFile.check(path, unlike: inputs)
    }

    private static func isPage(_ path: String) -> Bool {
        [".html", ".htm"].contains(where: path.lowercased().hasSuffix)
    }

    /// Draws the first sixty predictions as PNG, or as an HTML page, by the file's extension.
    ///
    /// - Parameters:
    ///   - players: who was seen in a video, with its path. The page then shows players, with the
    ///     moments at which they are seen.
    ///   - image: returns a frame by its path in the prediction; frames for which it returns nil
    ///     are not drawn.
    /// - Throws: `FileError` if the file cannot be written.
    package static func write(
        _ predictions: [Prediction], players: (table: PlayerTable, video: String)? = nil, to url: URL,
        image: (String) -> RGBImage? = { try? RGBImage(contentsOf: URL(fileURLWithPath: $0)) }
    ) throws {
        if let players, isPage(url.path) {
            let rows = Dictionary(
                players.table.predictions.map { ($0.track, row($0, image)) },
                uniquingKeysWith: { first, _ in first })
            let page = try PlayerPage(players.table, video: players.video, rows: rows).report()
            return try AtomicFile.write(Data(page.html().utf8), to: url)
        }
        let rows = predictions.prefix(maximumRows).map { row($0, image) }
        if isPage(url.path) {
            let page = try page(predictions, rows: Array(rows))
            try AtomicFile.write(Data(page.html().utf8), to: url)
        } else {
            try AtomicFile.write(ContactSheet(rows: Array(rows)).image().pngData(), to: url)
        }
    }

    private static func row(_ prediction: Prediction, _ image: (String) -> RGBImage?) -> ContactSheet.Row {
        ContactSheet.Row(
            title: prediction.number?.description ?? "?",
            subtitle: prediction.confidence.map {
                "\(Format.percent($0, places: 1))  \(prediction.sequence)"
            }
                ?? prediction.sequence,
            frames: prediction.frames.compactMap { frame in
                guard let image = image(frame.path) else { return nil }
                return ContactSheet.Frame(
                    image: image, caption: caption(frame), weight: frame.weight,
                    box: frame.box.map { [$0.left, $0.top, $0.width, $0.height] })
            })
    }

    /// The frame's weight, and its number in a video.
    private static func caption(_ frame: Prediction.FrameWeight) -> String? {
        let parts = [frame.videoFrame, frame.weight.map { Format.decimal($0, places: 2) }].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: ": ")
    }

    private static func page(_ predictions: [Prediction], rows: [ContactSheet.Row]) throws -> Report {
        let pictures = try zip(predictions, rows).enumerated().map { index, item in
            Report.Block.picture(
                name: "\(index)", try ContactSheet(rows: [item.1]).image().jpegData(quality: 85),
                caption:
                    "\(item.0.sequence): \(item.0.answer), \(Format.percent(item.0.confidence, places: 1))")
        }
        let answered = predictions.count { $0.number != nil }
        return Report(
            title: "Numbers read", subtitle: "\(answered) of \(predictions.count) sequences answered",
            sections: [
                .init("Numbers", [.table(Table(predictions))]),
                .init(
                    "Frames",
                    [
                        .text(
                            "Below each frame is its weight in the answer; in a video, its frame number comes first."
                                + (predictions.count > maximumRows
                                    ? " Only the first \(maximumRows) sequences are shown." : ""))
                    ]
                        + pictures),
            ])
    }
}
