import Foundation
import Jersey
import JerseyLab

/// Predictions as text, in each output format.
enum PredictionText {
    private static func table(_ predictions: [Prediction]) -> String {
        let rows = predictions.map { prediction in
            let others = prediction.top.dropFirst().map { "\($0.number) \(percent($0.probability))" }.joined(separator: ", ")
            let left = prediction.leftOut.isEmpty ? "" : ", \(prediction.leftOut.count) left out"
            return [
                prediction.sequence, prediction.number?.description ?? (prediction.unreadable ? "unreadable" : "-"),
                prediction.confidence.map(percent) ?? "-", others,
                "\(prediction.frames.count)\(left)",
            ]
        }
        return Table(["sequence", "number", "confidence", "or else", "frames"], rows: rows).description + "\n"
    }

    private static func percent(_ value: Double) -> String { String(format: "%.1f%%", value * 100) }

    /// - Parameter boxes: what `mot` is made of.
    static func text(_ predictions: [Prediction], _ format: PredictCommand.Format, boxes: TrackBoxes? = nil) throws -> String {
        switch format {
        case .table: return table(predictions)
        case .json: return JSON.text(try JSON.readable(predictions))
        case .jsonl: return try predictions.map { JSON.text(try JSON.line($0)) + "\n" }.joined()
        case .csv: return csv(predictions)
        case .mot: return mot(predictions, boxes!)
        }
    }

    /// MOTChallenge's ten columns, and the number as the eleventh: -1 where none was read.
    private static func mot(_ predictions: [Prediction], _ boxes: TrackBoxes) -> String {
        let numbers = Dictionary(predictions.map { ($0.track, $0.number?.description ?? "-1") }) { first, _ in first }
        let tails = boxes.tracks.map { ",-1,-1,-1,\(numbers[$0] ?? "-1")\n" }
        var text = ""
        for box in boxes.boxes {
            let place = [box.left, box.top, box.width, box.height, box.confidence].map(plain).joined(separator: ",")
            text += "\(Int(box.frame) + boxes.firstFrame),\(boxes.tracks[Int(box.track)]),\(place)" + tails[Int(box.track)]
        }
        return text
    }

    /// "912.4" and "7", as trackers write.
    private static func plain(_ value: Float) -> String {
        value == value.rounded() && abs(value) < 1e7 ? String(Int(value)) : "\(value)"
    }

    /// RFC 4180, with a header.
    private static func csv(_ predictions: [Prediction]) -> String {
        let header =
            [
                "sequence", "track", "number", "confidence", "second", "second_probability", "third", "third_probability",
                "frames", "left_out",
            ]
            + (0...9).map { "tens_\($0)" } + ["tens_blank"] + (0...9).map { "ones_\($0)" } + ["unreadable"]
        let rows = predictions.map { prediction in
            let others = prediction.top.dropFirst().flatMap { [$0.number.description, number($0.probability)] }
            var row = [
                prediction.sequence, prediction.track, prediction.number?.description ?? "",
                prediction.confidence.map(number) ?? "",
            ]
            row += others.isEmpty ? Array(repeating: "", count: 4) : others
            row += ["\(prediction.frames.count)", "\(prediction.leftOut.count)"]
            row += prediction.tens.isEmpty ? Array(repeating: "", count: 21) : (prediction.tens + prediction.ones).map(number)
            return row + ["\(prediction.unreadable)"]
        }
        return ([header] + rows).map { $0.map(quoted).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func number(_ value: Double) -> String { String(format: "%.6f", value) }

    private static func quoted(_ cell: String) -> String {
        guard cell.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
