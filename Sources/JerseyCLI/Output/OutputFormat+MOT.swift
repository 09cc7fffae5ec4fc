import Jersey
import JerseyOutput

extension OutputFormat {
    /// MOTChallenge's ten columns, plus the number as the eleventh; -1 if none was read.
    static let mot = OutputFormat(
        name: "mot", summary: "the tracker's boxes, with each one's number", needsBoxes: true
    ) { content in
        guard let boxes = content.boxes else { return "" }
        let predictions = BoxPredictions(content.predictions)
        var text = ""
        for box in boxes.boxes {
            let (track, frame) = (boxes.tracks[Int(box.track)], Int(box.frame) + boxes.firstFrame)
            let number = predictions.prediction(ofTrack: track, frame: frame)?.number?.description ?? "-1"
            let place = [box.left, box.top, box.width, box.height, box.confidence].map(plain).joined(
                separator: ",")
            text += "\(frame),\(CSV.cell(track)),\(place),-1,-1,-1,\(number)\n"
        }
        return text
    }

    /// "912.4" and "7", as trackers write.
    private static func plain(_ value: Float) -> String {
        value == value.rounded() && abs(value) < 1e7 ? String(Int(clamping: Double(value))) : "\(value)"
    }
}
