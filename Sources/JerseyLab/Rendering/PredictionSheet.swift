import Foundation
import Jersey
import Torch

/// Frames with their weights beside the numbers read, as a picture.
public enum PredictionSheet {
    /// More would be a picture that nobody can open.
    public static let maximumRows = 60

    /// Draws the first sixty predictions.
    ///
    /// - Parameter image: gives a frame by its path in the prediction; a frame of which it gives none is not drawn.
    /// - Throws: `FileError` when the file cannot be written.
    public static func write(
        _ predictions: [Prediction], to url: URL,
        image: (String) -> RGBImage? = { try? RGBImage(contentsOf: URL(fileURLWithPath: $0)) }
    ) throws {
        let rows = predictions.prefix(maximumRows).map { prediction in
            ContactSheet.Row(
                title: prediction.number?.description ?? "?",
                subtitle: prediction.confidence.map { String(format: "%.1f%%  ", $0 * 100) + prediction.sequence }
                    ?? prediction.sequence,
                frames: prediction.frames.compactMap { frame in
                    guard let image = image(frame.path) else { return nil }
                    return ContactSheet.Frame(
                        image: image, caption: frame.weight.map { String(format: "%.2f", $0) }, weight: frame.weight)
                })
        }
        try AtomicFile.write(ContactSheet(rows: Array(rows)).image().pngData(), to: url)
    }
}
