import Foundation
import Torch

extension DatasetFormat {
    /// The study's layout. Hidden files, and files beside folders, are passed over.
    public static let folders: DatasetFormat = DatasetFormat(
        name: "folders", summary: "<number>/<track>/<sequence>/<frames>.jpg|jpeg|png, the anchor named so"
    ) { config in
        let root = URL(fileURLWithPath: config.path)
        let wanted = try config.classes.map { try Set($0.map(number)) }
        var sequences: [FrameSequence] = []
        var remarks: [String] = []
        let numberFolders = try subfolders(in: root)
        guard numberFolders.isEmpty || numberFolders.contains(where: isTopFolder) else {
            throw FileError(
                root.path, "holds no folder that is named by a shirt number (0...9, 00...99)",
                advice: "name the folder that holds <number>/<track>/<sequence>/<frame>.jpg; is it the one above, or below?")
        }
        for numberFolder in numberFolders {
            let number = JerseyNumber(numberFolder)
            if number == nil && !(config.unreadable && numberFolder == unreadableFolder) {
                if wanted != nil { continue }
                if numberFolder == unreadableFolder {
                    let url = root.appendingPathComponent(numberFolder)
                    remarks.append("\(url.path) is for sequences without a number; they are left out")
                    continue
                }
                throw FileError(
                    root.appendingPathComponent(numberFolder).path, "is not named by a shirt number (0...9, 00...99)",
                    advice: numberFolder == imagesFolder
                        ? "SoccerNet's layout is read with --format soccernet"
                        : "move it away, or name the numbers to use with --classes")
            }
            if let wanted, let number, !wanted.contains(number) { continue }
            let numberURL = root.appendingPathComponent(numberFolder)
            for trackFolder in try subfolders(in: numberURL) {
                let track = numberFolder + "/" + trackFolder
                let trackURL = numberURL.appendingPathComponent(trackFolder)
                let sequenceFolders = try subfolders(in: trackURL)
                if sequenceFolders.isEmpty { remarks.append("\(trackURL.path) has no sequence folders; it is left out") }
                for sequenceFolder in sequenceFolders {
                    let url = trackURL.appendingPathComponent(sequenceFolder)
                    let listing = try names(in: url)
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

/// Beside the numbers' folders, and laid out like them: sequences in which no number can be seen.
public let unreadableFolder = "unreadable"

/// SoccerNet's, which holds the players' folders.
let imagesFolder = "images"

/// Whether a data set, of either layout, has a folder of that name at its top.
func isTopFolder(_ name: String) -> Bool { JerseyNumber(name) != nil || [unreadableFolder, imagesFolder].contains(name) }

func number(_ text: String) throws -> JerseyNumber {
    guard let number = JerseyNumber(text) else {
        throw UsageError("'\(text)' in the class list is not a shirt number (0...9, 00...99)")
    }
    return number
}

/// Names of what a folder holds, hidden ones left out, in natural order whatever the file system's.
func names(in url: URL) throws -> [String] {
    guard let names = FileNames.list(url.path) else {
        let error = SystemError()
        switch FileNames.kind(url.path) {
        case nil: throw FileError(url.path, "does not exist")
        case .folder: throw FileError(url.path, doing: "list the folder", error: error)
        default: throw FileError(url.path, "is a file, and not a folder")
        }
    }
    return names.filter { !FrameOrder.isHidden($0) }.sorted(by: naturallyPrecedes)
}

func subfolders(in url: URL) throws -> [String] {
    try names(in: url).filter { isFolder(url.appendingPathComponent($0)) }
}
