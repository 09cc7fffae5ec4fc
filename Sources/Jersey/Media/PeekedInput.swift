import Foundation

/// Standard input, whose first bytes were looked at to tell what comes.
package final class PeekedInput {
    package enum Kind: Sendable { case archive, unknown }

    /// The first bytes: at least as many as `kind` needs, if there are so many.
    package let head: [UInt8]
    private let file: Int32
    private var isHeadRead = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    /// How many first bytes are looked at.
    private static let needed = 512

    /// - Parameter file: an open file or pipe, which stays open.
    /// - Throws: `SystemError`.
    package init(_ file: Int32 = STDIN_FILENO) throws(SystemError) {
        self.file = file
        var count = 0
        while count < Self.needed {
            let free = UnsafeMutableRawBufferPointer(rebasing: buffer[count..<Self.needed])
            let read = try Self.read(file, free)
            if read == 0 { break }
            count += read
        }
        head = Array(buffer[..<count])
    }

    deinit {
        buffer.deallocate()
    }

    /// What comes, by its first bytes.
    package var kind: Kind {
        // "ustar" has its place in a tar file's first block.
        let signatures: [(place: Int, bytes: [UInt8])] = [
            (0, Array("PK\u{3}\u{4}".utf8)), (0, [0x1f, 0x8b]), (0, [0x28, 0xb5, 0x2f, 0xfd]),
            (257, Array("ustar".utf8)),
        ]
        return signatures.contains { head.dropFirst($0.place).starts(with: $0.bytes) } ? .archive : .unknown
    }

    /// The next bytes, the first ones included; empty at the end. They are valid until the next call.
    ///
    /// - Throws: `SystemError`.
    func next() throws(SystemError) -> UnsafeRawBufferPointer {
        guard isHeadRead else {
            isHeadRead = true
            return UnsafeRawBufferPointer(rebasing: buffer[..<head.count])
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<(try Self.read(file, buffer))])
    }

    private static func read(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(SystemError)
        -> Int
    {
        while true {
            let count = Foundation.read(file, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError() }
            return count
        }
    }
}
