import Foundation

/// The text of a file that a person names: a table, JSON or XML. The file may be a pipe; "-" is
/// standard input.
struct TextInput {
    /// UTF-8 without a byte order mark.
    let bytes: Data

    /// - Parameter wanted: what the file should be, for advice, such as "give a table".
    /// - Throws: `FileError` if it cannot be read, or is not text.
    init(_ path: String, wanted: String) throws {
        guard path == "-" || FileNames.exists(path) else { throw FileError(path, "does not exist") }
        guard FileNames.kind(path) != .folder || path == "-" else {
            throw FileError(path, "is a folder", advice: wanted)
        }
        // Not a URL: it would resolve the links that name pipes.
        let content: Data
        do {
            content = try Data(wholeFile: path == "-" ? "/dev/stdin" : path)
        } catch {
            throw FileError(path, doing: "read", error: error)
        }
        try self.init(content, named: path, wanted: wanted)
    }

    /// - Parameter path: what errors call the text.
    /// - Throws: `FileError` if it is not text.
    init(_ content: Data, named path: String, wanted: String) throws {
        if content.starts(with: [0xff, 0xfe]) || content.starts(with: [0xfe, 0xff]) {
            guard let text = String(data: content, encoding: .utf16) else {
                throw FileError(path, "is damaged UTF-16 text", advice: wanted)
            }
            bytes = Data(text.utf8)
            return
        }
        if let kind = Self.binaryKind(of: content) {
            throw FileError(path, "is \(kind), not a text file", advice: wanted)
        }
        bytes = content.starts(with: [0xef, 0xbb, 0xbf]) ? content.dropFirst(3) : content
    }

    enum Syntax: Sendable { case json, xml, table }

    /// What the text is, by its first characters.
    var syntax: Syntax {
        let start = bytes.lazy.drop { $0 <= 0x20 }.prefix(2)
        guard let first = start.first else { return .table }
        if first == UInt8(ascii: "{") { return .json }
        if first == UInt8(ascii: "<") { return .xml }
        guard first == UInt8(ascii: "[") else { return .table }
        // "[Section]" begins an INI file.
        let next = bytes.lazy.drop { $0 <= 0x20 }.dropFirst().first { $0 > 0x20 }
        let isJSON = next.map { "{[]\"-0123456789tfn".utf8.contains($0) } ?? true
        return isJSON ? .json : .table
    }

    private static let signatures: [(bytes: [UInt8], kind: String)] = [
        (Array("PK\u{3}\u{4}".utf8), "a zip file or a spreadsheet"), ([0x1f, 0x8b], "a gzip file"),
        ([0xff, 0xd8, 0xff], "a JPEG picture"), ([0x89, 0x50, 0x4e, 0x47], "a PNG picture"),
        (Array("GIF8".utf8), "a GIF picture"), (Array("RIFF".utf8), "a WebP picture or an AVI video"),
        ([0x1a, 0x45, 0xdf, 0xa3], "a Matroska or WebM video"), (Array("%PDF".utf8), "a PDF document"),
        (Array("SQLite format 3".utf8), "an SQLite database"), (Array("PAR1".utf8), "a Parquet file"),
        (Array("ARROW1".utf8), "an Arrow file"), ([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "a NumPy array"),
        ([0xd0, 0xcf, 0x11, 0xe0], "an old Excel or Word file"), (Array("BZh".utf8), "a bzip2 file"),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "an xz file"), ([0x28, 0xb5, 0x2f, 0xfd], "a zstd file"),
        ([0x37, 0x7a, 0xbc, 0xaf], "a 7z file"), (Array("Rar!".utf8), "a RAR file"),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"), (Array("II*\0".utf8), "a TIFF picture"),
        (Array("MM\0*".utf8), "a TIFF picture"), ([0x7f, 0x45, 0x4c, 0x46], "a program"),
    ]

    /// What a file is that is not text; nil for text.
    private static func binaryKind(of content: Data) -> String? {
        if let known = signatures.first(where: { content.starts(with: $0.bytes) }) { return known.kind }
        if content.dropFirst(4).starts(with: "ftyp".utf8) { return "a video or a HEIC picture" }
        if content.count > 2, content.first == 0x80, 2...5 ~= content[content.startIndex + 1] {
            return "a Python pickle"
        }
        return content.contains(0) ? "a binary file" : nil
    }

    /// A few names for a message, which a file may have thousands of.
    static func listed(_ names: [String]) -> String {
        let shown = names.prefix(12).map { Shown.text($0, limit: 40) }.joined(separator: ", ")
        return names.count > 12 ? "\(shown), … (\(names.count) in all)" : shown
    }
}
