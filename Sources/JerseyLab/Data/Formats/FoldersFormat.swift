import Foundation
import Jersey

extension DatasetFormat {
    /// The study's layout. Hidden files, and files beside folders, are passed over.
    package static let folders: DatasetFormat = DatasetFormat(
        name: "folders", summary: "<number>/<track>/<sequence>/<frames>.jpg|jpeg|png, the anchor named so"
    ) { config in
        let root = URL(fileURLWithPath: config.path)
        let wanted = try config.wantedNumbers()
        var sequences: [FrameSequence] = []
        var remarks: [String] = []
        let numberFolders = try FolderLayout.listSubfolders(in: root)
        guard numberFolders.isEmpty || numberFolders.contains(where: FolderLayout.isTop) else {
            throw FileError(
                root.path, "holds no folder that is named by a shirt number (0...9, 00...99)",
                advice: "name the folder that holds <number>/<track>/<sequence>/<frame>.jpg; is it the one above, or below?")
        }
        for numberFolder in numberFolders {
            let number = JerseyNumber(numberFolder)
            if number == nil && !(config.unreadable && numberFolder == FolderLayout.unreadable) {
                if wanted != nil { continue }
                if numberFolder == FolderLayout.unreadable {
                    let url = root.appendingPathComponent(numberFolder)
                    remarks.append("\(url.path) is for sequences without a number; they are left out")
                    continue
                }
                throw FileError(
                    root.appendingPathComponent(numberFolder).path, "is not named by a shirt number (0...9, 00...99)",
                    advice: numberFolder == FolderLayout.images
                        ? "SoccerNet's layout is read with --format soccernet"
                        : "move it away, or name the numbers to use with --classes")
            }
            if let wanted, let number, !wanted.contains(number) { continue }
            let numberURL = root.appendingPathComponent(numberFolder)
            for trackFolder in try FolderLayout.listSubfolders(in: numberURL) {
                let track = numberFolder + "/" + trackFolder
                let trackURL = numberURL.appendingPathComponent(trackFolder)
                let sequenceFolders = try FolderLayout.listSubfolders(in: trackURL)
                if sequenceFolders.isEmpty { remarks.append("\(trackURL.path) has no sequence folders; it is left out") }
                for sequenceFolder in sequenceFolders {
                    let url = trackURL.appendingPathComponent(sequenceFolder)
                    let listing = try FolderLayout.listNames(in: url)
                    let (frames, anchor) = FrameOrder.frames(among: listing)
                    guard !frames.isEmpty else {
                        remarks.append("\(url.path) has no frames; it is left out")
                        continue
                    }
                    let anchors = frames.filter(FrameOrder.isAnchor).count
                    if anchors > 1 { remarks.append("\(url.path) has \(anchors) anchors; the first is used") }
                    sequences.append(
                        FrameSequence(
                            id: track + "/" + sequenceFolder, track: track, number: number,
                            frames: frames.map { url.appendingPathComponent($0).path }, anchor: anchor))
                }
            }
        }
        guard !sequences.isEmpty else {
            throw FileError(
                root.path, "holds no sequences" + (wanted == nil ? "" : " of the numbers asked for"),
                advice: "it should look like <number>/<track>/<sequence>/<frame>.jpg")
        }
        return Dataset(root: root.path, sequences: sequences, remarks: remarks)
    }
}
