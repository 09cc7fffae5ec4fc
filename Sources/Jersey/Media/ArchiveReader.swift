import CArchive
import Foundation

/// Reads the entries of an untrusted archive, one after the other.
final class ArchiveReader {
    struct Entry {
        /// The name in the archive, escaped for messages.
        let name: String
        /// The folders and the file, without "." and empty parts.
        let parts: [String]
    }

    private let path: String
    private let limits: UnpackedArchive.Limits
    private let handle: OpaquePointer
    /// The archive, if it is in memory. libarchive keeps a pointer into it.
    private let bytes: NSData?
    /// The archive, if it comes piece by piece.
    private let input: PipedInput?
    /// The size of the archive in bytes; nil if it comes piece by piece.
    private let size: Int?
    private var entries = 0
    private var written = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// - Parameter path: what errors call the archive.
    /// - Throws: `FileError` if the file is missing or is not an archive.
    init(_ file: String, called path: String, limits: UnpackedArchive.Limits) throws {
        guard FileNames.exists(file) else { throw FileError(path, "does not exist") }
        guard file.withFileSystemPath({ access($0, R_OK) }) == 0 else {
            throw FileError(path, "cannot be read: \(SystemError().reason)")
        }
        guard let handle = archive_read_new() else { throw FileError(path, "cannot be read: out of memory") }
        self.path = path
        self.limits = limits
        self.handle = handle
        size = FileNames.size(file) ?? 0
        bytes = nil
        input = nil
        Self.allowFormats(handle)
        archive_read_support_filter_zstd(handle)
        guard file.withFileSystemPath({ archive_read_open_filename(handle, $0, 1 << 16) }) == ARCHIVE_OK
        else {
            throw notAnArchive
        }
    }

    /// Opens an archive in memory.
    ///
    /// - Parameter path: what errors call the archive.
    /// - Throws: `FileError` if it is not an archive.
    init(_ content: Data, called path: String, limits: UnpackedArchive.Limits) throws {
        guard let handle = archive_read_new() else { throw FileError(path, "cannot be read: out of memory") }
        let kept = NSData(data: content)
        self.path = path
        self.limits = limits
        self.handle = handle
        bytes = kept
        size = content.count
        input = nil
        Self.allowFormats(handle)
        guard archive_read_open_memory(handle, kept.bytes, kept.length) == ARCHIVE_OK else {
            throw notAnArchive
        }
    }

    /// Opens an archive that comes piece by piece, of any length.
    ///
    /// - Parameter path: what errors call the archive.
    /// - Throws: `FileError` if it is not an archive.
    init(_ input: PipedInput, called path: String, limits: UnpackedArchive.Limits) throws {
        guard let handle = archive_read_new() else { throw FileError(path, "cannot be read: out of memory") }
        self.path = path
        self.limits = limits
        self.handle = handle
        self.input = input
        size = nil
        bytes = nil
        Self.allowFormats(handle)
        archive_read_support_filter_zstd(handle)
        // The reader keeps the input as long as libarchive may ask for more of it.
        let source = Unmanaged.passUnretained(input).toOpaque()
        let status = archive_read_open(
            handle, source, nil,
            { _, source, piece in
                guard let source, let piece else { return -1 }
                do {
                    let bytes = try Unmanaged<PipedInput>.fromOpaque(source).takeUnretainedValue().next()
                    piece.pointee = bytes.baseAddress
                    return bytes.count
                } catch {
                    return -1
                }
            }, nil)
        guard status == ARCHIVE_OK else { throw notAnArchive }
    }

    /// Whether it is a tar file; known once an entry was read.
    var isTar: Bool { archive_format(handle) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_TAR }

    /// The most bytes that may be unpacked, given the size of the archive, or what came of it so far.
    private var most: Int {
        let known = size ?? Int(archive_filter_bytes(handle, -1))
        return min(limits.bytes, limits.entryBytes + known * limits.ratio)
    }

    private static func allowFormats(_ handle: OpaquePointer) {
        archive_read_support_filter_gzip(handle)
        archive_read_support_format_zip(handle)
        archive_read_support_format_tar(handle)
    }

    deinit {
        archive_read_free(handle)
    }

    /// The next file, skipping folders; nil at the end.
    func next() throws -> Entry? {
        while true {
            var header: OpaquePointer?
            let status = archive_read_next_header(handle, &header)
            if status == ARCHIVE_EOF { return nil }
            // Warnings are only about a name's encoding or a time.
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let header else {
                throw entries == 0
                    ? notAnArchive : FileError(path, "is damaged after \(entries) entries: \(message)")
            }
            entries += 1
            guard entries <= limits.entries else {
                throw FileError(
                    path, "has more than the limit of \(limits.entries) entries", advice: "split it")
            }
            let entry = try entry(header)
            // Skipping an entry of a compressed tar means decompressing it, so skipped bytes count
            // as well.
            try checkTotal(Int(archive_filter_bytes(handle, 0)), entry)
            switch archive_entry_filetype(header) {
            case S_IFREG where archive_entry_hardlink(header) == nil:
                guard
                    archive_entry_size_is_set(header) == 0 || archive_entry_size(header) <= limits.entryBytes
                else {
                    throw tooLarge(entry)
                }
                return entry
            case S_IFDIR: continue
            case S_IFLNK: throw refused(entry, "is a symbolic link")
            case S_IFREG, 0: throw refused(entry, "is a link to another entry")
            default: throw refused(entry, "is a device, a pipe or a socket")
            }
        }
    }

    /// Writes the content of the entry.
    ///
    /// - Returns: its size in bytes.
    @discardableResult func write(_ entry: Entry, to folder: TemporaryFolder) throws -> Int {
        guard let file = folder.makeFile(entry.parts) else {
            switch errno {
            case EEXIST: throw refused(entry, "occurs twice")
            case ENOTDIR, EISDIR: throw refused(entry, "is both a file and a folder")
            case ENAMETOOLONG: throw refused(entry, "has a name longer than 255 bytes")
            default: throw failed(entry)
            }
        }
        defer { close(file) }
        var size = 0
        try unpack(entry) { piece in
            guard Foundation.write(file, piece.baseAddress, piece.count) == piece.count else {
                throw failed(entry)
            }
            size += piece.count
        }
        return size
    }

    /// The content of the entry.
    func content(of entry: Entry) throws -> Data {
        var content = Data()
        try unpack(entry) { content.append(contentsOf: $0) }
        return content
    }

    private func unpack(_ entry: Entry, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var size = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { archive_read_data(handle, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw FileError(path, "cannot be unpacked at \(entry.name): \(message)") }
            if count == 0 { return }
            size += count
            written += count
            guard size <= limits.entryBytes else { throw tooLarge(entry) }
            try checkTotal(written, entry)
            try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    private func entry(_ header: OpaquePointer) throws -> Entry {
        guard let text = archive_entry_pathname_utf8(header) ?? archive_entry_pathname(header) else {
            throw FileError(
                path, "has an entry (number \(entries)) whose name cannot be read", advice: Self.advice)
        }
        let bytes = UnsafeBufferPointer(
            start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: strlen(text))
        // Split by bytes, as the system does: a slash or dot with a combining accent is one
        // character of a string, but the system sees a slash or dot.
        let pieces = bytes.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
        let entry = Entry(
            name: Shown.text(String(fileSystemBytes: bytes)),
            parts: pieces.map { String(fileSystemBytes: $0) })
        guard bytes.first != UInt8(ascii: "/"), !pieces.contains(where: { $0.elementsEqual("..".utf8) }),
            !bytes.contains(UInt8(ascii: "\\"))
        else { throw refused(entry, "points outside the archive") }
        guard !entry.parts.contains(where: { $0.unicodeScalars.contains(where: Self.isControl) }) else {
            throw refused(entry, "has control characters in its name")
        }
        let parts = entry.parts
        guard parts.count <= 16 else { throw refused(entry, "is more than 16 folders deep") }
        return entry
    }

    /// Whether the character controls lines, terminals or the direction of text. Marks that some
    /// scripts need, such as joiners, are allowed.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isBidiControl
            || [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
    }

    private func checkTotal(_ bytes: Int, _ entry: Entry) throws {
        guard bytes <= most else {
            throw FileError(
                path, "unpacks to more than \(most >> 20) MiB (at \(entry.name)), too much for its size",
                advice: "if you trust it, unpack it yourself and name the folder")
        }
    }

    private static let advice = "pack plain files, or unpack it yourself and name the folder"

    func refused(_ entry: Entry, _ why: String) -> FileError {
        FileError(path, "is not unpacked: \(entry.name) \(why)", advice: Self.advice)
    }

    private func tooLarge(_ entry: Entry) -> FileError {
        refused(entry, "is larger than the limit of \(limits.entryBytes >> 20) MiB")
    }

    private func failed(_ entry: Entry) -> FileError {
        FileError(
            path, "cannot be unpacked at \(entry.name): \(SystemError().reason)",
            advice: "free some space, or set TMPDIR to a folder with more")
    }

    private var notAnArchive: FileError {
        FileError(
            path, "is not a zip, tar or tar.gz file, or is damaged", advice: "pack it again, or name a folder"
        )
    }

    private var message: String {
        archive_error_string(handle).map { String(cString: $0) } ?? "no reason given"
    }
}

/// Runs `body` in a UTF-8 locale. libarchive converts names with the thread's locale, and the one
/// that a process starts with loses all letters except ASCII.
package func withUTF8Names<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let utf8Names else { return try body() }
    let before = uselocale(utf8Names)
    defer { uselocale(before) }
    return try body()
}

/// Loaded once and never changed, so all threads may use it.
nonisolated(unsafe) private let utf8Names = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
