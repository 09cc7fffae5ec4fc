import Foundation
import Jersey

extension DatasetFormat {
    /// A split of SoccerNet's jersey number task. As in `predict`, a long track becomes several
    /// sequences, each a window of its track. Players labelled -1 correspond to
    /// `FolderLayout.unreadable` in the other layout.
    package static let soccernet = DatasetFormat(
        name: "soccernet",
        summary: "images/<player>/<frames>.jpg and <split>_gt.json, with -1 for unreadable numbers"
    ) { config in
        let root = URL(fileURLWithPath: config.path)
        let images = root.appendingPathComponent(FolderLayout.images)
        let labels = try labels(of: root)
        let players = try FolderLayout.listSubfolders(in: images)
        let unlabelled = players.filter { labels.numbers[$0] == nil }
        if let player = unlabelled.first {
            throw FileError(
                labels.path, "lacks player \(player)\(others(unlabelled)) in images/",
                advice: "every player needs a number, or -1")
        }
        let wanted = try config.wantedNumbers()
        var sequences: [FrameSequence] = []
        var remarks: [String] = []
        var unreadable = 0
        for player in players {
            let number = labels.number(of: player)
            if number == nil && !config.unreadable {
                unreadable += 1
                continue
            }
            if let wanted, let number, !wanted.contains(number) { continue }
            let url = images.appendingPathComponent(player)
            let (frames, anchor) = FrameOrder.frames(among: try FolderLayout.listNames(in: url))
            guard !frames.isEmpty else {
                remarks.append("\(url.path) has no frames; it is skipped")
                continue
            }
            let track = "\(number?.description ?? FolderLayout.unreadable)/\(player)"
            let whole = FrameSequence(
                id: track, track: track, number: number,
                frames: frames.map { url.appendingPathComponent($0).path },
                anchor: anchor)
            sequences += whole.windows(size: config.maximumFrames).enumerated().map { index, window in
                FrameSequence(
                    id: "\(track)/\(index)", track: track, number: number, frames: window.frames,
                    anchor: window.anchor)
            }
        }
        if unreadable > 0 { remarks.append("skipped \(unreadable) players without a readable number (-1)") }
        let absent = Set(labels.numbers.keys).subtracting(players).sorted(by: naturallyPrecedes)
        if let player = absent.first {
            remarks.append("\(labels.path) names player \(player)\(others(absent)), missing in images/")
        }
        return try dataset(
            sequences, in: root, remarks: remarks, ofSome: wanted != nil,
            layout: "images/<player>/<frame>.jpg")
    }
}

/// Reads the ground truth in a split's folder.
private func labels(of root: URL) throws -> SoccerNetLabels {
    let names = try FolderLayout.listNames(in: root)
    guard FileNames.isFolder(root.appendingPathComponent(FolderLayout.images)) else {
        let splits = names.filter {
            FileNames.isFolder(root.appendingPathComponent($0).appendingPathComponent(FolderLayout.images))
        }
        throw FileError(
            root.path, "has no folder images",
            advice: splits.isEmpty
                ? "it should look like images/<player>/<frame>.jpg"
                : "name one split: \(splits.joined(separator: ", "))")
    }
    let files = names.filter { $0.hasSuffix("_gt.json") }
    guard let file = files.first else {
        throw FileError(
            root.path, "has no ground truth (such as train_gt.json) beside images/",
            advice: "without it the split can only be used with `predict`")
    }
    guard files.count == 1 else {
        throw FileError(
            root.path, "has several ground truths: \(files.joined(separator: ", "))", advice: "keep only one")
    }
    return try SoccerNetLabels(contentsOf: root.appendingPathComponent(file).path)
}

private func others(_ names: [String]) -> String {
    switch names.count {
    case ...1: ""
    case 2: " and another"
    default: " and \(names.count - 1) others"
    }
}
