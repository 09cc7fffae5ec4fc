import Jersey
import JerseyOutput

extension OutputFormat {
    /// MOTChallenge's ten columns, plus the number as the eleventh; -1 if none was read.
    static let mot = OutputFormat(
        name: "mot", summary: "the tracker's boxes, with each track's number", needsBoxes: true
    ) { content in
        guard let boxes = content.boxes else { return "" }
        let numbers = Dictionary(content.predictions.map { ($0.track, $0.number?.description ?? "-1") }) {
            first, _ in first
        }
        let tails = boxes.tracks.map { ",-1,-1,-1,\(numbers[$0] ?? "-1")\n" }
        var text = ""
        for box in boxes.boxes {
            let place = [box.left, box.top, box.width, box.height, box.confidence].map(plain).joined(
                separator: ",")
            text +=
                "\(Int(box.frame) + boxes.firstFrame),\(CSV.cell(boxes.tracks[Int(box.track)])),\(place)"
                + tails[Int(box.track)]
        }
        return text
    }

    /// "912.4" and "7", as trackers write.
    private static func plain(_ value: Float) -> String {
        value == value.rounded() && abs(value) < 1e7 ? String(Int(clamping: Double(value))) : "\(value)"
    }
}
