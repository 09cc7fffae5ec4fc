import Foundation
import Jersey
import JerseyLab

/// Predictions as text, in each output format.
enum PredictionText {
    /// - Parameters:
    ///   - isRaw: cells of `csv` are exactly what they are, whatever a spreadsheet makes of them.
    ///   - boxes: what `mot` is made of.
    ///   - empty: folders without frames, of which `soccernet` has to say that nothing can be read.
    /// - Throws: `UsageError` where the format cannot hold them.
    static func text(
        _ predictions: [Prediction], _ format: PredictCommand.Format, isRaw: Bool = false, boxes: TrackBoxes? = nil,
        empty: [String] = []
    ) throws -> String {
        switch format {
        case .table: return Table(predictions).description + "\n"
        case .json: return JSON.text(try JSON.readable(predictions))
        case .jsonl: return try predictions.map { JSON.text(try JSON.line($0)) + "\n" }.joined()
        case .csv: return csv(predictions, isRaw: isRaw)
        case .mot: return boxes.map { mot(predictions, $0) } ?? ""
        case .soccernet:
            return try SoccerNetLabels(predictions, unread: empty).json
        }
    }

    /// MOTChallenge's ten columns, and the number as the eleventh: -1 where none was read.
    private static func mot(_ predictions: [Prediction], _ boxes: TrackBoxes) -> String {
        let numbers = Dictionary(predictions.map { ($0.track, $0.number?.description ?? "-1") }) { first, _ in first }
        let tails = boxes.tracks.map { ",-1,-1,-1,\(numbers[$0] ?? "-1")\n" }
        var text = ""
        for box in boxes.boxes {
            let place = [box.left, box.top, box.width, box.height, box.confidence].map(plain).joined(separator: ",")
            text +=
                "\(Int(box.frame) + boxes.firstFrame),\(CSV.cell(boxes.tracks[Int(box.track)])),\(place)" + tails[Int(box.track)]
        }
        return text
    }

    /// "912.4" and "7", as trackers write.
    private static func plain(_ value: Float) -> String {
        value == value.rounded() && abs(value) < 1e7 ? String(Int(clamping: Double(value))) : "\(value)"
    }

    /// RFC 4180, with a header. A roster's columns come last, and with a roster only.
    private static func csv(_ predictions: [Prediction], isRaw: Bool) -> String {
        let hasPlayers = predictions.contains { $0.players != nil || $0.conflict != nil }
        let header =
            [
                "sequence", "track", "number", "confidence", "first", "first_probability", "second", "second_probability",
                "third", "third_probability", "frames", "left_out",
            ]
            + (0...9).map { "tens_\($0)" } + ["tens_blank"] + (0...9).map { "ones_\($0)" } + ["unreadable"]
            + (hasPlayers ? ["player", "team", "conflict", "conflict_probability"] : [])
        let rows = predictions.map { prediction in
            // The first is the number where there is one, and the best guess where not.
            let top = prediction.top.flatMap { [$0.number.description, number($0.probability)] }
            let players = prediction.players ?? []
            return [
                prediction.sequence, prediction.track, prediction.number?.description ?? "",
                prediction.confidence.map(number) ?? "",
            ]
                + top + Array(repeating: "", count: max(0, 6 - top.count))
                + ["\(prediction.frames.count)", "\(prediction.leftOut.count)"]
                + (prediction.digits == nil ? Array(repeating: "", count: 21) : (prediction.tens + prediction.ones).map(number))
                + ["\(prediction.unreadable)"]
                + (hasPlayers
                    ? [
                        players.map(\.name).joined(separator: " / "), players.map(\.team).joined(separator: " / "),
                        prediction.conflict?.number.description ?? "", prediction.conflict.map { number($0.probability) } ?? "",
                    ] : [])
        }
        return ([header] + rows).map { CSV.row($0, isRaw: isRaw) }.joined()
    }

    private static func number(_ value: Double) -> String { String(format: "%.6f", value) }
}
