import Foundation
import Hummingbird
import Jersey

/// The content of one request, before decoding. Runs on a decoding thread.
struct Upload {
    /// What a sequence consists of.
    enum Content: Sendable {
        /// Names and JPEG or PNG bytes, in time order.
        case frames([(name: String, bytes: Data)])
        /// A short video of one player, and its name.
        case film(Data, String)
        /// A zip or tar file of several sequences, and its name.
        case archive(Data, String)
    }

    struct Sequence: Sendable {
        let id: String
        let track: String
        let content: Content
        /// The size of the decoding job.
        let size: DecoderPool.Size
    }

    let limits: RequestLimits
    private let permit: Admission.MemoryPermit
    private var frames = 0
    private var pixels = 0

    init(_ limits: RequestLimits, _ permit: Admission.MemoryPermit) {
        self.limits = limits
        self.permit = permit
    }

    /// A sequence of images. Images that cannot be decoded are skipped and reported when the
    /// sequence is read.
    ///
    /// - Parameter frames: names and bytes; "anchor" in a name marks the frame that shows the
    ///   number best.
    /// - Throws: `ServiceError` if there are no frames, or they exceed the limits.
    mutating func sequence(_ id: String, track: String? = nil, _ frames: [(name: String, bytes: Data)]) throws
        -> Sequence
    {
        guard !frames.isEmpty else {
            throw ServiceError(
                .unprocessableContent, "\(id) has no frames; send at least one picture, such as a JPEG or PNG"
            )
        }
        self.frames += frames.count
        guard self.frames <= limits.frames else {
            throw ServiceError(
                .contentTooLarge, "the request has more than \(limits.frames) frames; send fewer or split it")
        }
        let declared = frames.map { DeclaredSize($0.bytes) }
        // Images that are too large or invalid will not be decoded, so they do not count.
        pixels += declared.compactMap { $0?.pixels }.filter { $0 <= limits.framePixels }.reduce(0, +)
        guard pixels <= limits.totalPixels else { throw Work.tooManyPixels(limits) }
        let names = Self.distinct(frames.map(\.name))
        let frames = zip(names, frames).map { (name: $0, bytes: $1.bytes) }
        let size = DecoderPool.Size(
            bytes: frames.reduce(0) { $0 + $1.bytes.count },
            pixels: declared.reduce(0) { $0 + ($1?.cost ?? 0) })
        return Sequence(id: id, track: track ?? id, content: .frames(frames), size: size)
    }

    func film(_ id: String, _ bytes: Data, named name: String) -> Sequence {
        Sequence(id: id, track: id, content: .film(bytes, name), size: .unknown)
    }

    func archive(_ bytes: Data, named name: String) -> Sequence {
        Sequence(id: name, track: name, content: .archive(bytes, name), size: .unknown)
    }

    /// The sequences in an archive: a folder of frames, or a tree of them, found as `jersey
    /// predict` does.
    ///
    /// - Parameter files: paths within the archive, and their bytes.
    /// - Throws: `ServiceError` if there are no sequences, or they exceed the limits.
    mutating func sequences(_ files: [(path: String, bytes: Data)], inArchive name: String) throws
        -> [Sequence]
    {
        let folders = Dictionary(grouping: files) { $0.path.parentPath }
        let ordered = folders.keys.map { ($0, $0.split(separator: "/").map(String.init)) }
            .sorted { Self.precedes($0.1[...], $1.1[...]) }.map(\.0)
        guard !ordered.isEmpty else {
            throw ServiceError(
                .unprocessableContent,
                "\(name) contains no frames; frames are pictures, such as .jpg and .png files")
        }
        guard ordered.count <= limits.sequences else {
            throw ServiceError(
                .contentTooLarge,
                "\(name) has \(ordered.count) sequences, more than the limit of \(limits.sequences); split it"
            )
        }
        return try ordered.map { folder in
            let path = folder.isEmpty ? name : name.appendingName(folder)
            let files = folders[folder] ?? []
            let contents = Dictionary(
                files.map { ($0.path.lastName, $0.bytes) }, uniquingKeysWith: { first, _ in first })
            let frames = FrameOrder.frames(among: files.map(\.path.lastName)).frames
            let parent = path.parentPath
            return try sequence(
                path, track: parent.isEmpty ? path : parent,
                frames.map { (path.appendingName($0), contents[$0] ?? Data()) })
        }
    }

    /// Orders a folder before the folders in it, and those by name.
    private static func precedes(_ a: ArraySlice<String>, _ b: ArraySlice<String>) -> Bool {
        guard let x = a.first, let y = b.first else { return a.isEmpty && !b.isEmpty }
        return x == y ? precedes(a.dropFirst(), b.dropFirst()) : naturallyPrecedes(x, y)
    }

    /// Claims memory before decoding a string.
    ///
    /// - Throws: `ServiceError` if there is not enough left.
    func take(_ bytes: Int) throws { try permit.take(bytes) }

    /// The names, with a number in those that come again: phones call all their pictures image.jpg.
    static func distinct(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        var counts: [String: Int] = [:]
        return names.map { name in
            var distinct = name
            while !seen.insert(distinct).inserted {
                let count = (counts[name] ?? 1) + 1
                counts[name] = count
                let dot = name.lastIndex(of: ".") ?? name.endIndex
                distinct = "\(name[..<dot]) (\(count))\(name[dot...])"
            }
            return distinct
        }
    }

    /// A name that is safe for a path, a log and a page.
    static func plain(_ name: String?, or fallback: String) -> String {
        // Works on bytes first: a name may have millions of them in a single character.
        let bytes = (name ?? "").utf8
        func isSlash(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") }
        guard let end = bytes.lastIndex(where: { !isSlash($0) }) else { return fallback }
        let start = bytes[...end].lastIndex(where: isSlash).map(bytes.index(after:)) ?? bytes.startIndex
        let last = String(decoding: bytes[start...end].prefix(1000), as: UTF8.self)
        // A path component may have 255 bytes, and a character up to four.
        let plain = String(
            String.UnicodeScalarView(last.unicodeScalars.filter { !Shown.isDeceptive($0) }.prefix(60)))
        return plain.isEmpty || plain.utf8.first == UInt8(ascii: ".") ? fallback : plain
    }
}
