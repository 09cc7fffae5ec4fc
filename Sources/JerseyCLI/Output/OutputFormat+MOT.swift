import Jersey
import JerseyOutput

extension OutputFormat {
    /// MOTChallenge's ten columns, plus the number as the eleventh; -1 if none was read.
    static let mot = OutputFormat(
        name: "mot", summary: "the tracker's boxes, with each one's number", needsBoxes: true
    ) { content in
        guard let boxes = content.boxes else { return "" }
        let predictions = BoxPredictions(content.predictions)
        return boxes.motText { track, frame in
            [predictions.prediction(ofTrack: track, frame: frame)?.number?.description ?? "-1"]
        }
    }
}

extension TrackBoxes {
    /// MOTChallenge's ten columns.
    ///
    /// - Parameter more: further columns of a track's box in a frame.
    func motText(_ more: (_ track: String, _ frame: Int) -> [String] = { _, _ in [] }) -> String {
        var text = ""
        for box in boxes {
            let (track, frame) = (tracks[Int(box.track)], Int(box.frame) + firstFrame)
            let place = [box.left, box.top, box.width, box.height, box.confidence].map(Self.plain)
            text +=
                (["\(frame)", CSV.cell(track)] + place + ["-1", "-1", "-1"] + more(track, frame))
                .joined(separator: ",") + "\n"
        }
        return text
    }

    /// "912.4" and "7", as trackers write.
    private static func plain(_ value: Float) -> String {
        value == value.rounded() && abs(value) < 1e7 ? String(Int(clamping: Double(value))) : "\(value)"
    }
}
