import Foundation

/// Formats whose records do not say all about a box.
extension BoxTree {
    /// Adds Label Studio's key frames, in percent of the picture, and the boxes between them.
    mutating func addKeyframes(_ sequence: [[String: Any]], _ inherited: Inherited) {
        struct Key {
            let frame: Int
            let box: [Double]
            let isShown: Bool
        }
        let keys = sequence.compactMap { item -> Key? in
            let box = ["x", "y", "width", "height"].compactMap { (item[$0] as? NSNumber)?.doubleValue }
            guard box.count == 4, let frame = (item["frame"] as? NSNumber)?.intValue else { return nil }
            return Key(frame: frame, box: box, isShown: (item["enabled"] as? Bool) ?? true)
        }.sorted { $0.frame < $1.frame }
        var inherited = inherited
        if inherited.track == nil { inherited.track = "\(records.count + 1)" }
        for (index, key) in keys.enumerated() {
            let next = index + 1 < keys.count ? keys[index + 1] : nil
            let end =
                key.isShown ? next.map { min($0.frame, key.frame + 100_000) } ?? key.frame + 1 : key.frame + 1
            for frame in key.frame..<max(end, key.frame + 1) {
                let share = next.map { Double(frame - key.frame) / Double(max($0.frame - key.frame, 1)) } ?? 0
                let box = zip(key.box, next?.box ?? key.box).map { "\($0 + ($1 - $0) * share)" }
                inherited.frame = "\(frame)"
                add(["left_percent", "top_percent", "width_percent", "height_percent"], box, inherited)
            }
        }
    }

    /// COCO with the number of the frame instead of that of the picture in each annotation.
    static func withoutImageNumbers(_ tree: Any) -> Any {
        guard let object = tree as? [String: Any], let images = object["images"] as? [[String: Any]],
            let annotations = object["annotations"] as? [[String: Any]]
        else { return tree }
        let byNumber = ["frame_id", "frame_index", "frame_number", "frame", "mot_frame_id"].first { key in
            images.allSatisfy { text($0[key] ?? "").flatMap(Double.init) != nil }
        }
        let names = images.map { ($0["file_name"] as? String).flatMap(FoundBoxes.number(inName:)) }
        let areNumbered = names.allSatisfy { $0 != nil } && Set(names).count == names.count
        var frames: [String: String] = [:]
        for (index, image) in images.enumerated() {
            guard let id = text(image["id"] ?? image["image_id"] ?? "") else { continue }
            frames[id] =
                byNumber.flatMap { text(image[$0] ?? "") }
                ?? (areNumbered ? names[index].map { "\(Int(clamping: $0))" } : id)
        }
        let renumbered = annotations.map { annotation in
            var annotation = annotation
            if let frame = text(annotation["image_id"] ?? "").flatMap({ frames[$0] }) {
                annotation["image_id"] = frame
            }
            return annotation
        }
        return ["annotations": renumbered, "images": frames.values.map { ["frame": $0] }]
    }

    func checkVideos(_ tree: Any) throws {
        guard let videos = (tree as? [String: Any])?["videos"] as? [Any], videos.count > 1 else { return }
        throw FileError(
            path, "has the boxes of \(videos.count) videos", advice: "give a file for each video")
    }
}
