import Foundation

/// Standard input, or another pipe, whose first bytes tell what comes.
package final class PipedInput {
    private let file: Int32
    /// Read already, to be given again.
    private var head: [UInt8] = []
    private let isStopped: @Sendable () -> Bool
    /// What `next` reads into.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    /// Why nothing comes any more.
    private var failure: SystemError?

    /// Waits for the first bytes.
    ///
    /// - Parameters:
    ///   - file: open as long as this is used.
    ///   - isStopped: asked ten times a second while nothing comes.
    package init(_ file: Int32 = STDIN_FILENO, isStopped: @escaping @Sendable () -> Bool = { false }) {
        (self.file, self.isStopped) = (file, isStopped)
        while head.count < Self.headBytes {
            var bytes = [UInt8](repeating: 0, count: Self.headBytes - head.count)
            let count = bytes.withUnsafeMutableBytes { readMore(into: $0) }
            guard count > 0 else { break }
            head += bytes[..<count]
        }
    }

    deinit {
        buffer.deallocate()
    }

    /// Where a tar file says that it is one.
    private static let tarMark = 257
    private static let headBytes = 512

    /// Whether nothing came.
    package var isEmpty: Bool { head.isEmpty }

    /// Whether a zip, gzip, zstd or tar file comes. Anything else is taken for a video.
    package var isArchive: Bool {
        let signatures: [(place: Int, bytes: [UInt8])] = [
            (0, Array("PK\u{3}\u{4}".utf8)), (0, [0x1f, 0x8b]), (0, [0x28, 0xb5, 0x2f, 0xfd]),
            (Self.tarMark, Array("ustar".utf8)),
        ]
        return signatures.contains { head.dropFirst($0.place).starts(with: $0.bytes) }
    }

    /// The next bytes; empty at the end. They are valid until the next call.
    ///
    /// - Throws: `SystemError` where the pipe breaks, or if stopped.
    func next() throws(SystemError) -> UnsafeRawBufferPointer {
        let count = read(into: buffer)
        if let failure { throw failure }
        guard count >= 0 else { throw SystemError(EINTR) }
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    /// Fills a buffer as far as there are bytes, and waits for at least one.
    ///
    /// - Returns: how many; 0 at the end or where the pipe breaks, negative if stopped.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard head.isEmpty else {
            let count = min(head.count, buffer.count)
            buffer.copyBytes(from: head[..<count])
            head.removeFirst(count)
            return count
        }
        return readMore(into: buffer)
    }

    private func readMore(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while !isStopped() {
            var wanted = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, 100) != 0 else { continue }
            let count = Foundation.read(file, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR && errno != EAGAIN {
                failure = SystemError()
                return 0
            }
        }
        return -1
    }
}
