import Foundation

/// WebDataset's layout of tar files: the files of a sample share the part of their names before the
/// first dot, the key, and stand one after the other.
///
/// What jersey takes for samples: pictures `key.N.jpg`, where N is a number, are the frames of one
/// tracklet; a picture `key.jpg` with a file `key.json` beside it is a tracklet of its own. All other
/// pictures are the frames of their folder. Nothing is read from files that are no pictures.
enum WebDataset {
    /// The key of a frame of several, such as "000123" of "000123.7.jpg"; nil for other names.
    static func key(ofFrame name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty,
            parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }), FrameOrder.isFrame(name)
        else { return nil }
        return String(parts[0])
    }

    /// The key of a sample that may be a single picture: "000123" of "000123.jpg" and "000123.json".
    static func key(ofOne name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty ? String(parts[0]) : nil
    }

    static func isLabel(_ name: String) -> Bool { name.hasSuffix(".json") }

    /// The samples among the files of a folder, in natural order, and the files of none.
    static func samples(among names: [String]) -> (samples: [(key: String, files: [String])], rest: [String])
    {
        let labels = Set(names.filter(isLabel).compactMap(key(ofOne:)))
        var samples: [String: [String]] = [:]
        var rest: [String] = []
        for name in names {
            let one =
                FrameOrder.isFrame(name) ? key(ofOne: name).flatMap { labels.contains($0) ? $0 : nil } : nil
            if let key = key(ofFrame: name) ?? one {
                samples[key, default: []].append(name)
            } else {
                rest.append(name)
            }
        }
        return (samples.sorted { naturallyPrecedes($0.key, $1.key) }.map { ($0.key, $0.value) }, rest)
    }
}
