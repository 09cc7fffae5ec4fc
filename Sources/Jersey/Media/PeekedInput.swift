import Foundation

/// Standard input, whose first bytes were looked at to tell what comes.
package final class PeekedInput {
    package enum Kind: Sendable { case archive, unknown }

    /// The first bytes: at least as many as `kind` needs, if there are so many.
    package let head: [UInt8]
    private let file: Int32
    private var isHeadRead = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// - Parameter file: an open file or pipe, which stays open.
    /// - Throws: `SystemError`.
    package init(_ file: Int32 = STDIN_FILENO) throws(SystemError) {
        self.file = file
        var head = [UInt8](repeating: 0, count: 512)
        var count = 0
        while count < head.count {
            let read = try Self.read(file, &head, from: count)
            if read == 0 { break }
            count += read
        }
        self.head = Array(head.prefix(count))
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
        let count: Int
        if isHeadRead {
            count = try Self.read(file, &buffer, from: 0)
        } else {
            isHeadRead = true
            buffer.replaceSubrange(0..<head.count, with: head)
            count = head.count
        }
        // The buffer is neither copied nor changed before the next call.
        return buffer.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[..<count]) }
    }

    private static func read(
        _ file: Int32, _ buffer: inout [UInt8], from start: Int
    ) throws(SystemError) -> Int {
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Foundation.read(file, $0.baseAddress! + start, $0.count - start)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError() }
            return count
        }
    }
}
