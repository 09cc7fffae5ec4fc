import Foundation

/// Names of files are bytes, most of them UTF-8. A byte that is not stands in a text as a character of its own, U+EF80...U+EFFF for the bytes
/// 0x80...0xFF, so that a text names one file and no other. Everything that opens, makes or lists files goes through here; whoever shows a
/// name shows the byte (`Shown`).
extension String {
    /// The text for a name, or a path, as the system has it.
    package init(fileSystemBytes bytes: some Collection<UInt8>) {
        let all = Array(bytes)
        if let text = String(validating: all, as: UTF8.self), !text.unicodeScalars.contains(where: FileNames.isStandIn) {
            self = text
            return
        }
        var text = String.UnicodeScalarView()
        var place = 0
        while place < all.count {
            let length = FileNames.length(all[place])
            let piece = all[place..<Swift.min(place + length, all.count)]
            if let scalar = String(validating: piece, as: UTF8.self)?.unicodeScalars.first, !FileNames.isStandIn(scalar) {
                text.append(scalar)
                place += length
            } else {
                text.append(FileNames.standIn(all[place]))
                place += 1
            }
        }
        self = String(text)
    }

    /// The bytes that the system knows it by.
    package var fileSystemBytes: [UInt8] {
        guard unicodeScalars.contains(where: FileNames.isStandIn) else { return Array(utf8) }
        return unicodeScalars.flatMap { FileNames.byte($0).map { [$0] } ?? Array(String($0).utf8) }
    }

    /// Calls the system with a path.
    package func withFileSystemPath<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try (fileSystemBytes + [0]).withUnsafeBufferPointer { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}

package enum FileNames {
    /// The byte that a character of a name stands for, where it stands for one.
    package static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        isStandIn(scalar) ? UInt8(truncatingIfNeeded: scalar.value) : nil
    }

    fileprivate static func isStandIn(_ scalar: Unicode.Scalar) -> Bool { 0xef80...0xefff ~= scalar.value }

    fileprivate static func standIn(_ byte: UInt8) -> Unicode.Scalar {
        Unicode.Scalar(0xef00 + UInt16(byte | 0x80)) ?? "\u{fffd}"
    }

    /// How many bytes the character has that this byte of UTF-8 begins.
    fileprivate static func length(_ first: UInt8) -> Int { first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4 }

    /// What a folder holds, hidden files, too, in no order.
    ///
    /// - Returns: nil with `errno` where it cannot be listed.
    package static func list(_ path: String) -> [String]? {
        let folder = path.withFileSystemPath { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        return list(folder)
    }

    /// As `list`, of a folder that is open.
    package static func list(_ folder: Int32) -> [String]? {
        // A copy, as the listing closes what it is made of.
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let listing = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return nil
        }
        defer { closedir(listing) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(fileSystemBytes: $0.prefix { $0 != 0 }) }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        return errno == 0 ? names : nil
    }

    package enum Kind: Sendable { case file, folder, other }

    /// What lies at a path, links followed; nil where nothing does.
    package static func kind(_ path: String) -> Kind? {
        var status = stat()
        guard path.withFileSystemPath({ stat($0, &status) }) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// Bytes of a file; nil where there is none.
    package static func size(_ path: String) -> Int? {
        var status = stat()
        guard path.withFileSystemPath({ stat($0, &status) }) == 0 else { return nil }
        return Int(status.st_size)
    }

    package static func exists(_ path: String) -> Bool { kind(path) != nil }
}

/// A text that equals another with the same bytes only. Texts by themselves are equal where they look the same: "ü" may be one character or
/// two, which are two names for two files.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ExactText, b: ExactText) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

/// A system's call that failed: why.
package struct SystemError: Error {
    package let code: Int32

    package init(_ code: Int32 = errno) { self.code = code }

    package var reason: String { String(cString: strerror(code)) }
}

extension Data {
    /// All bytes of a file, a pipe's, too.
    ///
    /// - Throws: `SystemError`.
    package init(wholeFile path: String) throws(SystemError) {
        let file = path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw SystemError() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw SystemError() }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw SystemError(EISDIR) }
        // One more, so that a file which is as long as it says is read in two calls. A pipe does not say.
        var bytes = Data(count: status.st_size > 0 ? Int(status.st_size) + 1 : 1 << 16)
        var count = 0
        while true {
            if count == bytes.count { bytes.append(Data(count: bytes.count)) }
            let read = bytes.withUnsafeMutableBytes {
                Foundation.read(file, $0.baseAddress! + count, Swift.min($0.count - count, 1 << 30))
            }
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw SystemError() }
            if read == 0 { break }
            count += read
        }
        self = bytes.prefix(count)
    }
}
