import Foundation
import Jersey

extension DatasetFormat {
    /// The study's layout. Hidden files and stray files beside folders are ignored.
    package static let folders = DatasetFormat(
        name: "folders",
        summary: "<number>/<track>/<sequence>/<frames>.jpg|jpeg|png; the anchor has 'anchor' in its name"
    ) { config in
        let root = URL(fileURLWithPath: config.path)
        let numberFolders = try FolderLayout.listSubfolders(in: root)
        guard numberFolders.isEmpty || numberFolders.contains(where: FolderLayout.isTop) else {
            throw FileError(
                root.path, "holds no folder named after a shirt number (0...9, 00...99)",
                advice:
                    "name the folder that holds <number>/<track>/<sequence>/<frame>.jpg, perhaps the one above or below"
            )
        }
        var content = FoldersContent(root: root, config: config, wanted: try config.wantedNumbers())
        for numberFolder in numberFolders { try content.add(numberFolder) }
        return try dataset(
            content.sequences, in: root, remarks: content.remarks, ofSome: content.wanted != nil,
            layout: "<number>/<track>/<sequence>/<frame>.jpg")
    }

    /// - Parameter ofSome: whether only some numbers are wanted.
    /// - Throws: `FileError` that shows the layout if there are no sequences.
    static func dataset(
        _ sequences: [FrameSequence], in root: URL, remarks: [String], ofSome: Bool, layout: String
    ) throws -> Dataset {
        guard !sequences.isEmpty else {
            throw FileError(
                root.path, "holds no sequences" + (ofSome ? " of the requested numbers" : ""),
                advice: "it should look like \(layout)")
        }
        return Dataset(root: root.path, sequences: sequences, remarks: remarks)
    }
}

/// Sequences and remarks collected from the number folders.
private struct FoldersContent {
    let root: URL
    let config: DataConfig
    /// Nil for all numbers.
    let wanted: Set<JerseyNumber>?
    private(set) var sequences: [FrameSequence] = []
    private(set) var remarks: [String] = []

    /// - Throws: `FileError` if the folder is not named after a number and no numbers were
    ///   requested.
    private mutating func isMeant(_ numberFolder: String) throws -> Bool {
        if let number = JerseyNumber(numberFolder) { return wanted?.contains(number) ?? true }
        if config.unreadable && numberFolder == FolderLayout.unreadable { return true }
        if wanted != nil { return false }
        let path = root.appendingPathComponent(numberFolder).path
        if numberFolder == FolderLayout.unreadable {
            remarks.append("\(path) holds sequences without a number; they are skipped")
            return false
        }
        throw FileError(
            path, "is not named after a shirt number (0...9, 00...99)",
            advice: numberFolder == FolderLayout.images
                ? "use --format soccernet for SoccerNet's layout"
                : "move it away, or list the numbers to use with --classes")
    }

    /// Adds the tracks of one number, or the unreadable ones.
    mutating func add(_ numberFolder: String) throws {
        guard try isMeant(numberFolder) else { return }
        let url = root.appendingPathComponent(numberFolder)
        for trackFolder in try FolderLayout.listSubfolders(in: url) {
            let trackURL = url.appendingPathComponent(trackFolder)
            let sequenceFolders = try FolderLayout.listSubfolders(in: trackURL)
            if sequenceFolders.isEmpty {
                remarks.append("\(trackURL.path) has no sequence folders; it is skipped")
            }
            for sequenceFolder in sequenceFolders {
                try addSequence(
                    trackURL.appendingPathComponent(sequenceFolder),
                    id: "\(numberFolder)/\(trackFolder)/\(sequenceFolder)",
                    track: "\(numberFolder)/\(trackFolder)", JerseyNumber(numberFolder))
            }
        }
    }

    private mutating func addSequence(_ url: URL, id: String, track: String, _ number: JerseyNumber?) throws {
        let (frames, anchor) = FrameOrder.frames(among: try FolderLayout.listNames(in: url))
        guard !frames.isEmpty else {
            remarks.append("\(url.path) has no frames; it is skipped")
            return
        }
        let anchors = frames.filter(FrameOrder.isAnchor).count
        if anchors > 1 { remarks.append("\(url.path) has \(anchors) anchors; the first is used") }
        sequences.append(
            FrameSequence(
                id: id, track: track, number: number,
                frames: frames.map { url.appendingPathComponent($0).path },
                anchor: anchor))
    }
}
