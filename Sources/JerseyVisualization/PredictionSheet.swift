import Foundation
import Jersey
import JerseyOutput

/// Frames with their weights beside the numbers read, as a picture.
package enum PredictionSheet {
    /// More would be a picture that nobody can open.
    package static let maximumRows = 60

    /// Says before any work is done what is wrong with a path for a sheet.
    ///
    /// - Throws: `FileError` for an ending of no picture or page, and what `AtomicFile.check` finds.
    package static func check(_ path: String, unlike inputs: [String] = []) throws {
        guard isPage(path) || path.lowercased().hasSuffix(".png") else {
            throw FileError(path, "is no name of a picture or a page", advice: "let it end in .png or .html")
        }
        try AtomicFile.check(path, unlike: inputs)
    }

    private static func isPage(_ path: String) -> Bool { [".html", ".htm"].contains(where: path.lowercased().hasSuffix) }

    /// Draws the first sixty predictions: as PNG, or as a page of HTML where the file is named so.
    ///
    /// - Parameter image: gives a frame by its path in the prediction; a frame of which it gives none is not drawn.
    /// - Throws: `FileError` when the file cannot be written.
    package static func write(
        _ predictions: [Prediction], to url: URL,
        image: (String) -> RGBImage? = { try? RGBImage(contentsOf: URL(fileURLWithPath: $0)) }
    ) throws {
        let rows = predictions.prefix(maximumRows).map { prediction in
            ContactSheet.Row(
                title: prediction.number?.description ?? "?",
                subtitle: prediction.confidence.map { "\(Format.percent($0, places: 1))  \(prediction.sequence)" }
                    ?? prediction.sequence,
                frames: prediction.frames.compactMap { frame in
                    guard let image = image(frame.path) else { return nil }
                    return ContactSheet.Frame(
                        image: image, caption: caption(frame), weight: frame.weight)
                })
        }
        if isPage(url.path) {
            let page = try page(predictions, rows: Array(rows))
            try AtomicFile.write(Data(page.html().utf8), to: url)
        } else {
            try AtomicFile.write(ContactSheet(rows: Array(rows)).image().pngData(), to: url)
        }
    }

    /// The weight, and of a video which frame it is.
    private static func caption(_ frame: Prediction.FrameWeight) -> String? {
        let parts = [frame.videoFrame, frame.weight.map { Format.decimal($0, places: 2) }].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: ": ")
    }

    private static func page(_ predictions: [Prediction], rows: [ContactSheet.Row]) throws -> Report {
        let pictures = try zip(predictions, rows).enumerated().map { index, item in
            Report.Block.picture(
                name: "\(index)", try ContactSheet(rows: [item.1]).image().jpegData(quality: 85),
                caption: "\(item.0.sequence): \(item.0.answer), \(Format.percent(item.0.confidence, places: 1))")
        }
        let answered = predictions.count { $0.number != nil }
        return Report(
            title: "Numbers read", subtitle: "\(answered) of \(predictions.count) sequences are answered",
            sections: [
                .init("Numbers", [.table(Table(predictions))]),
                .init(
                    "Frames",
                    [
                        .text(
                            "Below each frame is its weight in the answer, and of a video before that which frame it is."
                                + (predictions.count > maximumRows ? " The first \(maximumRows) sequences are shown." : ""))
                    ]
                        + pictures),
            ])
    }
}
