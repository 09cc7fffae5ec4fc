import CArchive
import Foundation

/// The frames in a zip or tar file, unpacked to a temporary folder that is removed with the
/// last reference to it.
///
/// Archives are untrusted. An archive with a path that points outside it, a link or a device, or
/// one that exceeds a limit, is refused as a whole, and the error names the entry. Only frames,
/// JSON files and `seqinfo.ini` are written. Other files and hidden files are skipped.
package final class UnpackedArchive: Sendable {
    /// The most that an archive may contain.
    package struct Limits: Sendable {
        package var entries = 1_000_000
        /// Bytes of one entry. `bytes` is the limit of all entries together.
        package var entryBytes = 64 << 20
        package var bytes = 32 << 30
        /// Unpacked bytes for each byte of the archive, beyond the first `entryBytes`. Images
        /// hardly compress, so an honest archive is near 1.
        package var ratio = 50

        package init() {}
    }

    /// The name of the archive in errors and in the paths of its frames.
    package let path: String
    /// The folder of the unpacked files.
    package let folder: URL
    /// Whether it is a tar file.
    let isTar: Bool
    private let temporary: TemporaryFolder

    package static let endings = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst"]

    package static func isArchive(_ path: String) -> Bool {
        endings.contains(where: path.lowercased().hasSuffix)
            && !FileNames.isFolder(URL(fileURLWithPath: path))
    }

    /// - Parameters:
    ///   - name: what errors and the paths of frames call the archive; nil takes `file`.
    ///   - progress: called for each entry; what it throws ends the unpacking.
    /// - Throws: `FileError` if the file is missing, damaged, refused or not an archive, or if the
    ///   disk is full.
    package init(
        _ file: String, called name: String? = nil, limits: Limits = Limits(),
        progress: () throws -> Void = {}
    ) throws {
        let name = name ?? file
        (path, temporary) = (name, try TemporaryFolder(.archive))
        folder = Self.url(of: temporary)
        isTar = try withUTF8Names { [temporary] in
            let reader = try ArchiveReader(file, called: name, limits: limits)
            while let entry = try reader.next() {
                try progress()
                if Self.isWanted(entry.parts) { try reader.write(entry, to: temporary) }
            }
            return reader.isTar
        }
    }

    /// A folder for some entries of an archive that comes piece by piece (`ArchiveStream`). Its
    /// frames are named by their path within the archive alone.
    init() throws {
        (path, temporary, isTar) = ("", try TemporaryFolder(.archive), true)
        folder = Self.url(of: temporary)
    }

    /// Unpacks one entry.
    ///
    /// - Returns: its size in bytes.
    func add(_ entry: ArchiveReader.Entry, from reader: ArchiveReader) throws -> Int {
        try reader.write(entry, to: temporary)
    }

    /// Without the slash at the end, because `file(_:)` adds one.
    private static func url(of temporary: TemporaryFolder) -> URL {
        URL(fileURLWithPath: temporary.url.path.withoutEndingSlashes)
    }

    /// Reads the frames in an archive in memory, under the same rules. Nothing is written.
    ///
    /// - Parameters:
    ///   - name: what errors call the archive.
    ///   - body: gets the path of each frame within the archive, and its bytes. What it throws ends
    ///     the reading.
    /// - Throws: `FileError` if the archive is damaged, refused, or not an archive.
    package static func read(
        _ bytes: Data, called name: String, limits: Limits,
        _ body: (_ path: String, _ content: Data) throws -> Void
    ) throws {
        try withUTF8Names {
            let reader = try ArchiveReader(bytes, called: name, limits: limits)
            var seen: Set<ExactText> = []
            while let entry = try reader.next() {
                guard isWanted(entry.parts), let last = entry.parts.last, FrameOrder.isFrame(last) else {
                    continue
                }
                let path = entry.parts.joined(separator: "/")
                guard seen.insert(ExactText(path)).inserted else {
                    throw reader.refused(entry, "occurs twice")
                }
                try body(path, try reader.content(of: entry))
            }
        }
    }

    /// Loads what reading archives needs, for a process that will soon not be allowed to open
    /// files.
    package static func prepare() { withUTF8Names {} }

    /// The unpacked file of a frame that is named by the archive's path and the path within. Other
    /// paths are returned unchanged.
    package func file(_ name: String) -> String {
        // Compared by bytes: a slash with a combining accent is one character, which does not equal
        // a slash.
        let start = (path.isEmpty ? "" : path + "/").utf8
        guard name.utf8.starts(with: start) else { return name }
        return folder.path + "/" + String(Substring(name.utf8.dropFirst(start.count)))
    }

    /// The reverse of `file(_:)`: the archive's path and the path within, for an unpacked file.
    /// Other strings are returned unchanged.
    package func name(_ file: String) -> String { file.replacing(folder.path, with: path) }

    static func isWanted(_ parts: [String]) -> Bool {
        guard let name = parts.last, !parts.contains(where: FrameOrder.isHidden) else { return false }
        return FrameOrder.isFrame(name) || name.hasSuffix(".json") || name.hasSuffix(".jsonl")
            || name == "seqinfo.ini"
    }
}

extension UnpackedArchive: Equatable {
    package static func == (a: UnpackedArchive, b: UnpackedArchive) -> Bool { a === b }
}
