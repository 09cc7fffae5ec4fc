import CArchive
import Foundation

/// The frames in a zip, tar or tar.gz file, unpacked to a temporary folder that is removed with the last reference to it.
///
/// Archives come from strangers. One with a path that leads out of it, a link, a device, or more than the limits is refused as a whole
/// and by the entry's name. Only frames and JSON files are written; everything else is passed over, hidden files, too.
package final class UnpackedArchive: Sendable {
    /// What an archive may hold at most.
    package struct Limits: Sendable {
        package var entries = 1_000_000
        /// Limits of one entry, and of all together.
        package var entryBytes = 64 << 20
        package var bytes = 32 << 30
        /// Unpacked bytes for each byte of the file; what fits into one entry is free. Pictures do not shrink, so that it is near 1.
        package var ratio = 50

        package init() {}
    }

    /// The archive, as it is called.
    package let path: String
    /// What was in it.
    package let folder: URL
    private let temporary: TemporaryFolder

    package static let endings = [".zip", ".tar", ".tar.gz", ".tgz"]

    package static func isArchive(_ path: String) -> Bool {
        endings.contains(where: path.lowercased().hasSuffix) && !FileNames.isFolder(URL(fileURLWithPath: path))
    }

    /// - Parameters:
    ///   - name: what it is called in errors and in the paths of its frames, where the file's own name says nothing.
    ///   - progress: called for each entry; what it throws ends the unpacking.
    /// - Throws: `FileError` when the file is missing, damaged, no archive, or must not be trusted, and when the disk is full.
    package init(
        _ file: String, called name: String? = nil, limits: Limits = Limits(), progress: () throws -> Void = {}
    ) throws {
        path = name ?? file
        temporary = try TemporaryFolder(.archive)
        // Without the slash at the end, which paths below it have anyway.
        folder = URL(fileURLWithPath: temporary.url.path.withoutEndingSlashes)
        try withUTF8Names {
            let reader = try ArchiveReader(file, called: path, limits: limits)
            while let entry = try reader.next() {
                try progress()
                if Self.isWanted(entry.parts) { try reader.write(entry, to: temporary) }
            }
        }
    }

    /// The frames in an archive that is in memory, under the same rules; nothing is written.
    ///
    /// - Parameters:
    ///   - name: what errors call it.
    ///   - body: is given each frame's path within the archive, and its bytes; what it throws ends the reading.
    /// - Throws: `FileError` when it is damaged, no archive, or must not be trusted.
    package static func read(
        _ bytes: Data, called name: String, limits: Limits, _ body: (_ path: String, _ content: Data) throws -> Void
    ) throws {
        try withUTF8Names {
            let reader = try ArchiveReader(bytes, called: name, limits: limits)
            var seen: Set<ExactText> = []
            while let entry = try reader.next() {
                guard isWanted(entry.parts), let last = entry.parts.last, FrameOrder.isFrame(last) else { continue }
                let path = entry.parts.joined(separator: "/")
                guard seen.insert(ExactText(path)).inserted else { throw reader.refused(entry, "is in it twice") }
                try body(path, try reader.content(of: entry))
            }
        }
    }

    /// Loads what reading archives takes, for a process that soon may open no file.
    package static func prepare() { withUTF8Names {} }

    /// Where a frame lies that is named by the archive's path and its path in there; other paths are what they are.
    package func file(_ name: String) -> String {
        // Byte by byte: a slash and an accent behind it are one character, and would not be seen as a slash.
        let start = (path + "/").utf8
        guard name.utf8.starts(with: start) else { return name }
        return folder.path + "/" + String(Substring(name.utf8.dropFirst(start.count)))
    }

    /// The archive's path and the path in there, of a file of the copy; other texts are what they are.
    package func name(_ file: String) -> String { file.replacing(folder.path, with: path) }

    private static func isWanted(_ parts: [String]) -> Bool {
        guard let name = parts.last, !parts.contains(where: FrameOrder.isHidden) else { return false }
        return FrameOrder.isFrame(name) || name.hasSuffix(".json") || name.hasSuffix(".jsonl")
    }
}

extension UnpackedArchive: Equatable {
    package static func == (a: UnpackedArchive, b: UnpackedArchive) -> Bool { a === b }
}
