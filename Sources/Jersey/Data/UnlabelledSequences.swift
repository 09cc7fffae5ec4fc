import Foundation
import Torch

/// Sequences found at paths that someone names: folders of frames, trees of them, or image files.
public struct UnlabelledSequences: Sendable {
    public let sequences: [FrameSequence]

    /// - Throws: `FileError` when a path is missing, no image, or holds no frames.
    public init(_ paths: [String]) throws {
        var sequences: [FrameSequence] = []
        var files: [(folder: String, names: [String])] = []
        for path in paths {
            let url = URL(fileURLWithPath: path)
            guard FileManager.default.fileExists(atPath: path) else { throw FileError(path, "does not exist") }
            if isFolder(url) {
                let found = try Self.tree(path, depth: 0)
                guard !found.isEmpty else {
                    throw FileError(
                        path, "holds no frames",
                        advice: "frames are \(FrameOrder.extensions.sorted().joined(separator: ", ")) files")
                }
                sequences += found
            } else {
                guard FrameOrder.isFrame(url.lastPathComponent) else {
                    throw FileError(
                        path, "is neither a folder nor a \(FrameOrder.extensions.sorted().joined(separator: ", ")) file",
                        advice: "for a video, give its tracker's boxes, too (--boxes)")
                }
                let folder = (path as NSString).deletingLastPathComponent
                if let index = files.firstIndex(where: { $0.folder == folder }) {
                    files[index].names.append(url.lastPathComponent)
                } else {
                    files.append((folder, [url.lastPathComponent]))
                }
            }
        }
        sequences += files.map {
            Self.sequence($0.folder.isEmpty ? "." : $0.folder, FrameOrder.time.arrange(Array(Set($0.names))))
        }
        // A folder that is named twice is read once.
        var seen: Set<String> = []
        self.sequences = sequences.filter { seen.insert($0.id).inserted }
    }

    private static func tree(_ path: String, depth: Int) throws -> [FrameSequence] {
        // Deeper than any layout of tracks; a link to a parent folder would never end.
        guard depth < 16 else { return [] }
        let url = URL(fileURLWithPath: path)
        let here = FrameOrder.time.arrange(try names(in: url).filter { !isFolder(url.appendingPathComponent($0)) })
        let below = try subfolders(in: url).flatMap { try tree((path as NSString).appendingPathComponent($0), depth: depth + 1) }
        return (here.frames.isEmpty ? [] : [sequence(path, here)]) + below
    }

    private static func sequence(_ folder: String, _ arranged: (frames: [String], anchor: Int?)) -> FrameSequence {
        let parent = (folder as NSString).deletingLastPathComponent
        return FrameSequence(
            id: folder, track: parent.isEmpty ? folder : parent, number: nil,
            frames: arranged.frames.map { (folder as NSString).appendingPathComponent($0) }, anchor: arranged.anchor)
    }
}
