import Foundation

/// Whole numbers and texts, as they go through the pipes between the service and its decoders. Blocks of bytes follow packets by
/// themselves. Neither side trusts the other's.
struct Packet: Equatable {
    struct Malformed: Error {}

    /// The most that a packet may have; blocks may have more.
    static let mostBytes = 1 << 20

    private(set) var bytes: [UInt8] = []
    private var place = 0

    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    mutating func add(_ number: Int) {
        Swift.withUnsafeBytes(of: Int64(number).littleEndian) { bytes += $0 }
    }

    mutating func add(_ text: String) {
        add(text.utf8.count)
        bytes += text.utf8
    }

    /// - Throws: `Malformed` where there is none.
    mutating func number() throws -> Int {
        guard bytes.count - place >= 8 else { throw Malformed() }
        defer { place += 8 }
        let value = bytes[place..<place + 8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        return Int(Int64(bitPattern: value))
    }

    /// - Throws: `Malformed` where there is none within the range.
    mutating func number(_ range: ClosedRange<Int>) throws -> Int {
        let value = try number()
        guard range ~= value else { throw Malformed() }
        return value
    }

    /// - Throws: `Malformed` where there is none.
    mutating func text() throws -> String {
        let count = try number(0...(bytes.count - place))
        guard count <= bytes.count - place else { throw Malformed() }
        defer { place += count }
        return String(decoding: bytes[place..<place + count], as: UTF8.self)
    }
}

/// One side of a pair of pipes: packets with their lengths before them, and blocks of bytes. Belongs to one thread.
final class PipeEnds {
    /// The other side is gone.
    struct Closed: Error {}

    private static let portion = 256 << 10

    private let input: Int32
    private let output: Int32
    /// Waits until the descriptor can be read or written; throws where waiting makes no sense any more.
    private let wait: (Int32, Int32) throws -> Void
    private var unread: [UInt8] = []
    private var place = 0
    private var unsent: [UInt8] = []

    /// - Parameter wait: called where a pipe is not ready, with the descriptor and POLLIN or POLLOUT; of pipes that block it never is.
    init(input: Int32, output: Int32, wait: @escaping (Int32, Int32) throws -> Void = { _, _ in }) {
        self.input = input
        self.output = output
        self.wait = wait
    }

    // MARK: Sending

    func send(_ packet: Packet) throws {
        Swift.withUnsafeBytes(of: UInt32(packet.bytes.count).littleEndian) { unsent += $0 }
        unsent += packet.bytes
        if unsent.count > Self.portion { try flush() }
    }

    func send(block: UnsafeRawBufferPointer) throws {
        guard block.count > Self.portion else {
            unsent += block
            if unsent.count > Self.portion { try flush() }
            return
        }
        try flush()
        try write(block)
    }

    func flush() throws {
        guard !unsent.isEmpty else { return }
        try unsent.withUnsafeBytes { try write($0) }
        unsent.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Foundation.write(output, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try wait(output, Int32(POLLOUT))
            } else if errno != EINTR {
                throw Closed()
            }
        }
    }

    // MARK: Receiving

    /// - Throws: `Packet.Malformed` for one that is too large; `Closed`.
    func receive() throws -> Packet {
        let length = try bytes(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Packet.mostBytes else { throw Packet.Malformed() }
        return Packet(try bytes(length))
    }

    /// A block of so many bytes. Memory is given to it at once: the caller knows that it may be.
    func bytes(_ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let held = min(count, unread.count - place)
            unread.withUnsafeBytes { unread in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: unread[place..<place + held]))
            }
            place += held
            filled = held
            while filled < count {
                // Small pieces go through a buffer, so that there are few calls.
                if count - filled < Self.portion {
                    try refill()
                    let more = min(count - filled, unread.count)
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...]).copyBytes(
                        from: unread[..<more])
                    place = more
                    filled += more
                } else {
                    filled += try read(
                        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count]))
                }
            }
        }
    }

    private func refill() throws {
        let read = self.read
        let portion = Self.portion
        unread = try [UInt8](unsafeUninitializedCapacity: portion) { buffer, filled in
            filled = try read(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<portion]))
        }
        place = 0
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(input, buffer.baseAddress, buffer.count)
            if count > 0 { return count }
            if count == 0 { throw Closed() }
            if errno == EAGAIN {
                try wait(input, Int32(POLLIN))
            } else if errno != EINTR {
                throw Closed()
            }
        }
    }
}
