import Foundation

/// Reads a text file line by line. Memory holds one block of it, or its longest line.
package final class LineFile {
    /// The longest line that is read, in bytes.
    package static let longest = 64 << 20

    private let path: String
    private let file: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    private var unread = 0..<0
    /// Where the next line begins, in bytes from the start of the file.
    package private(set) var offset = 0
    /// Lines read so far.
    package private(set) var count = 0
    /// Whether the last line that was read has its line end.
    package private(set) var isTerminated = true

    /// - Throws: `FileError` if the file cannot be opened.
    package init(_ path: String) throws {
        self.path = path
        file = path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw FileError(path, doing: "read", error: SystemError()) }
    }

    deinit {
        close(file)
    }

    /// Calls `body` with the next line, without its line end ("\n" or "\r\n").
    ///
    /// - Returns: nil at the end of the file.
    /// - Throws: `FileError` for a line that is too long, or if the disk fails; what `body` throws.
    package func next<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result? {
        var searched = 0
        while true {
            let start = unread.lowerBound + searched
            let end = buffer.withUnsafeBytes { bytes in
                memchr(bytes.baseAddress! + start, 0x0a, unread.upperBound - start).map {
                    UnsafeRawPointer($0) - bytes.baseAddress!
                }
            }
            if let end { return try take(unread.lowerBound..<end, ending: 1, body) }
            searched = unread.count
            guard searched <= Self.longest else {
                throw FileError(
                    path, "has a line longer than \(Self.longest >> 20) MiB after line \(count)",
                    advice: "it is perhaps no text file")
            }
            guard try fill() else {
                return unread.isEmpty ? nil : try take(unread, ending: 0, body)
            }
        }
    }

    private func take<Result>(
        _ range: Range<Int>, ending: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        unread = range.upperBound + ending..<unread.upperBound
        offset += range.count + ending
        count += 1
        isTerminated = ending > 0
        return try buffer.withUnsafeBytes { bytes in
            var line = bytes[range]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            return try body(UnsafeRawBufferPointer(rebasing: line))
        }
    }

    /// - Returns: false at the end of the file.
    private func fill() throws -> Bool {
        buffer.withUnsafeMutableBytes { bytes in
            _ = memmove(bytes.baseAddress!, bytes.baseAddress! + unread.lowerBound, unread.count)
        }
        unread = 0..<unread.count
        if unread.count == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
        while true {
            let read = buffer.withUnsafeMutableBytes {
                Foundation.read(file, $0.baseAddress! + unread.count, $0.count - unread.count)
            }
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw FileError(path, doing: "read", error: SystemError()) }
            unread = 0..<unread.count + read
            return read > 0
        }
    }
}
