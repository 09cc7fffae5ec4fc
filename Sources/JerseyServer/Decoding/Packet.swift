import Foundation

/// Integers and strings for the pipes between the service and its decoders. Blocks of bytes follow
/// packets separately. Neither side trusts the other.
struct Packet: Equatable {
    struct Malformed: Error {}

    /// The largest size of a packet; blocks may be larger.
    static let mostBytes = 1 << 20

    private(set) var bytes: [UInt8] = []
    private var place = 0

    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    mutating func add(_ number: Int) {
        Swift.withUnsafeBytes(of: Int64(number).littleEndian) { bytes += $0 }
    }

    mutating func add(_ fraction: Double) { add(Int(bitPattern: UInt(fraction.bitPattern))) }

    mutating func add(_ text: String) {
        add(text.utf8.count)
        bytes += text.utf8
    }

    /// - Throws: `Malformed` if the packet has no more.
    mutating func number() throws -> Int {
        guard bytes.count - place >= 8 else { throw Malformed() }
        defer { place += 8 }
        let value = bytes[place..<place + 8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        return Int(Int64(bitPattern: value))
    }

    /// - Throws: `Malformed` if the packet has no more, or the number is out of range.
    mutating func number(_ range: ClosedRange<Int>) throws -> Int {
        let value = try number()
        guard range ~= value else { throw Malformed() }
        return value
    }

    /// - Throws: `Malformed` if the packet has no more, or the number is out of range or none.
    mutating func fraction(_ range: ClosedRange<Double>) throws -> Double {
        let value = Double(bitPattern: UInt64(UInt(bitPattern: try number())))
        guard range ~= value else { throw Malformed() }
        return value
    }

    /// - Throws: `Malformed` if the packet has no more.
    mutating func text() throws -> String {
        let count = try number(0...(bytes.count - place))
        guard count <= bytes.count - place else { throw Malformed() }
        defer { place += count }
        return String(decoding: bytes[place..<place + count], as: UTF8.self)
    }
}

/// One end of a pair of pipes, for length-prefixed packets and blocks of bytes. Belongs to one
/// thread.
final class PipeEnds {
    /// The other end is closed.
    struct Closed: Error {}

    private static let portion = 256 << 10

    private let input: Int32
    private let output: Int32
    /// Waits until the descriptor is ready; throws to give up.
    private let wait: (Int32, Int32) throws -> Void
    private var unread: [UInt8] = []
    private var place = 0
    private var unsent: [UInt8] = []

    /// - Parameter wait: called with the descriptor and POLLIN or POLLOUT when a pipe is not ready;
    ///   never for blocking pipes.
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
            let count = Foundation.write(
                output, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
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

    /// - Throws: `Packet.Malformed` if the packet is too large; `Closed`.
    func receive() throws -> Packet {
        let length = try bytes(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Packet.mostBytes else { throw Packet.Malformed() }
        return Packet(try bytes(length))
    }

    /// Reads a block. Allocates the whole block at once, so the caller must check its size first.
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
                // Small reads go through a buffer, to save system calls.
                if count - filled < Self.portion {
                    try refill()
                    let more = min(count - filled, unread.count)
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                        .copyBytes(
                            from: unread[..<more])
                    place = more
                    filled += more
                } else {
                    filled += try read(
                        UnsafeMutableRawBufferPointer(
                            rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count]))
                }
            }
        }
    }

    private func refill() throws {
        let read = self.read
        let portion = Self.portion
        unread = try [UInt8](unsafeUninitializedCapacity: portion) { buffer, filled in
            filled = try read(
                UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<portion]))
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
