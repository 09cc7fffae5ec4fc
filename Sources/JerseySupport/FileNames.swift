import Foundation

/// File names are bytes, usually UTF-8. A byte that is not valid UTF-8 becomes a stand-in character
/// (U+EF80...U+EFFF for the bytes 0x80...0xFF), so that each string names exactly one file. All
/// code that opens, creates or lists files uses these functions. `Shown` prints a stand-in as its
/// byte.
extension String {
    /// The string for the bytes of a name or path.
    package init(fileSystemBytes bytes: some Collection<UInt8>) {
        let all = Array(bytes)
        if let text = String(validating: all, as: UTF8.self),
            !text.unicodeScalars.contains(where: FileNames.isStandIn)
        {
            self = text
            return
        }
        var text = String.UnicodeScalarView()
        var place = 0
        while place < all.count {
            let length = FileNames.length(all[place])
            let piece = all[place..<Swift.min(place + length, all.count)]
            if let scalar = String(validating: piece, as: UTF8.self)?.unicodeScalars.first,
                !FileNames.isStandIn(scalar)
            {
                text.append(scalar)
                place += length
            } else {
                text.append(FileNames.standIn(all[place]))
                place += 1
            }
        }
        self = String(text)
    }

    /// The bytes of the name or path.
    package var fileSystemBytes: [UInt8] {
        guard unicodeScalars.contains(where: FileNames.isStandIn) else { return Array(utf8) }
        return unicodeScalars.flatMap { FileNames.byte($0).map { [$0] } ?? Array(String($0).utf8) }
    }

    /// Calls `body` with the path as a C string.
    package func withFileSystemPath<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows
        -> Result
    {
        try (fileSystemBytes + [0]).withUnsafeBufferPointer { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}

package enum FileNames {
    /// The byte that a stand-in character represents; nil for other characters.
    package static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        isStandIn(scalar) ? UInt8(truncatingIfNeeded: scalar.value) : nil
    }

    fileprivate static func isStandIn(_ scalar: Unicode.Scalar) -> Bool { 0xef80...0xefff ~= scalar.value }

    fileprivate static func standIn(_ byte: UInt8) -> Unicode.Scalar {
        Unicode.Scalar(0xef00 + UInt16(byte | 0x80)) ?? "\u{fffd}"
    }

    /// The length in bytes of the UTF-8 character that begins with this byte.
    fileprivate static func length(_ first: UInt8) -> Int {
        first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    }

    /// The names in a folder, hidden ones included, in no particular order.
    ///
    /// - Returns: nil, with `errno` set, if the folder cannot be listed.
    package static func list(_ path: String) -> [String]? {
        let folder = path.withFileSystemPath { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        return list(folder)
    }

    /// The same for an open folder.
    package static func list(_ folder: Int32) -> [String]? {
        // A copy, because `closedir` closes the descriptor.
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let listing = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return nil
        }
        defer { closedir(listing) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(fileSystemBytes: $0.prefix { $0 != 0 })
            }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        return errno == 0 ? names : nil
    }

    package enum Kind: Sendable { case file, folder, other }

    /// The kind of the file at a path, following links; nil if there is none.
    package static func kind(_ path: String) -> Kind? {
        var status = stat()
        guard path.withFileSystemPath({ stat($0, &status) }) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// The size of a file in bytes; nil if there is none.
    package static func size(_ path: String) -> Int? {
        var status = stat()
        guard path.withFileSystemPath({ stat($0, &status) }) == 0 else { return nil }
        return Int(status.st_size)
    }

    /// The same for all paths that lead to one file or folder.
    package struct Identity: Hashable, Sendable {
        private let device: UInt64
        private let number: UInt64

        fileprivate init(_ status: stat) {
            device = UInt64(status.st_dev)
            number = UInt64(status.st_ino)
        }
    }

    /// What a path leads to, following links; nil if there is nothing.
    package static func identity(_ path: String) -> Identity? {
        var status = stat()
        return path.withFileSystemPath({ stat($0, &status) }) == 0 ? Identity(status) : nil
    }

    /// Whether a path is a symbolic link.
    package static func isLink(_ path: String) -> Bool {
        var status = stat()
        return path.withFileSystemPath({ lstat($0, &status) }) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    package static func exists(_ path: String) -> Bool { kind(path) != nil }
}

/// A string that is compared by its bytes. Swift compares by canonical equivalence: "ü" may be one
/// character or two, which are equal strings but different file names.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ExactText, b: ExactText) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

/// The error code of a failed system call.
package struct SystemError: Error {
    package let code: Int32

    package init(_ code: Int32 = errno) { self.code = code }

    package var reason: String { String(cString: strerror(code)) }
}

extension Data {
    /// Reads all bytes of a file or pipe.
    ///
    /// - Throws: `SystemError`.
    package init(wholeFile path: String) throws(SystemError) {
        let file = path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw SystemError() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw SystemError() }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw SystemError(EISDIR) }
        // One byte more than the size, so that two calls read the file. A pipe has no size.
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
