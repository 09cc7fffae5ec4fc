import Foundation
import Jersey

/// A job for a decoder. Packets go both ways, some followed by a block of bytes.
struct MediaJob {
    enum Kind: Int {
        /// Images, one block each; answered with `picture` or `broken` for each.
        case pictures
        /// A video in one block; answered with `picture` or `broken` for every `step`th frame.
        case film
        /// An archive in one block; answered with `file` for each frame in it.
        case archive
        /// A video of `bytes` bytes, which the decoder asks for piece by piece; answered with
        /// `opened`. Then the service gives commands (`VideoCommand`).
        case video
    }

    let kind: Kind
    /// The name for error messages.
    var name = ""
    /// Bytes of each block.
    var sizes: [Int]
    /// Limits: pixels of a frame, of all kept frames, and of all decoded frames; frames; bytes of
    /// an archive entry, and of all entries.
    var framePixels = 0
    var pixels = 0
    var totalPixels = 0
    var frames = 0
    var entryBytes = 0
    var bytes = 0
    /// CPU seconds.
    var cpuSeconds = 1

    init(_ kind: Kind, sizes: [Int]) {
        self.kind = kind
        self.sizes = sizes
    }

    init(_ packet: Packet) throws {
        var packet = packet
        guard let kind = Kind(rawValue: try packet.number()) else { throw Packet.Malformed() }
        self.kind = kind
        name = try packet.text()
        framePixels = try packet.number()
        pixels = try packet.number()
        totalPixels = try packet.number()
        frames = try packet.number()
        entryBytes = try packet.number()
        bytes = try packet.number()
        cpuSeconds = try packet.number()
        sizes = []
        for _ in 0..<(try packet.number(0...Packet.mostBytes)) {
            sizes.append(try packet.number(0...Int.max))
        }
    }

    var packet: Packet {
        var packet = Packet()
        packet.add(kind.rawValue)
        packet.add(name)
        for number in [framePixels, pixels, totalPixels, frames, entryBytes, bytes, cpuSeconds, sizes.count]
            + sizes
        {
            packet.add(number)
        }
        return packet
    }
}

/// A decoder's answer.
enum MediaAnswer {
    /// Asks whether this many bytes of images or files may follow; the service answers with a byte,
    /// 1 for yes.
    case question(Int)
    /// A frame's index and size; its pixels follow.
    case picture(index: Int, width: Int, height: Int)
    /// A frame's index, and why it cannot be decoded.
    case broken(index: Int, ImageError.Reason)
    /// A path, and the number of bytes that follow.
    case file(String, Int)
    /// Asks for bytes of the video; they follow as a block.
    case wanted(offset: Int, count: Int)
    /// The video is open: its size, frames per second, and the approximate number of frames, 0 if
    /// unknown.
    case opened(width: Int, height: Int, rate: Double, frames: Int)
    /// The next frame: its time in seconds, how many pieces were passed over so far, and what was
    /// wrong with the first.
    case frame(time: Double, isDamaged: Bool, damage: Int, String)
    /// The job is done; pixels decoded.
    case done(pixels: Int)
    /// The job failed: its input exceeds the limits, or is invalid.
    case failed(isTooLarge: Bool, String)

    init(_ packet: Packet) throws {
        var packet = packet
        switch try packet.number() {
        case 0: self = .question(try packet.number(0...Int.max))
        case 1:
            let side = 1...1 << 24
            self = .picture(
                index: try packet.number(), width: try packet.number(side), height: try packet.number(side))
        case 2: self = .broken(index: try packet.number(), try ImageError.Reason(from: &packet))
        case 3: self = .file(try packet.text(), try packet.number(0...Int.max))
        case 4: self = .done(pixels: try packet.number(0...Int.max))
        case 5: self = .failed(isTooLarge: try packet.number() != 0, try packet.text())
        case 6: self = .wanted(offset: try packet.number(0...Int.max), count: try packet.number(1...1 << 20))
        case 7:
            self = .opened(
                width: try packet.number(1...1 << 24), height: try packet.number(1...1 << 24),
                rate: try packet.fraction(0...1000), frames: try packet.number(0...Int.max))
        case 8:
            self = .frame(
                time: try packet.fraction(0...1e9), isDamaged: try packet.number() != 0,
                damage: try packet.number(0...Int.max), try packet.text())
        default: throw Packet.Malformed()
        }
    }

    var packet: Packet {
        var packet = Packet()
        switch self {
        case .question(let bytes):
            packet.add(0)
            packet.add(bytes)
        case .picture(let index, let width, let height):
            for number in [1, index, width, height] { packet.add(number) }
        case .broken(let index, let reason):
            packet.add(2)
            packet.add(index)
            reason.write(to: &packet)
        case .file(let path, let count):
            packet.add(3)
            packet.add(path)
            packet.add(count)
        case .done(let pixels):
            packet.add(4)
            packet.add(pixels)
        case .failed(let isTooLarge, let text):
            packet.add(5)
            packet.add(isTooLarge ? 1 : 0)
            packet.add(text)
        case .wanted(let offset, let count):
            for number in [6, offset, count] { packet.add(number) }
        case .opened(let width, let height, let rate, let frames):
            for number in [7, width, height] { packet.add(number) }
            packet.add(rate)
            packet.add(frames)
        case .frame(let time, let isDamaged, let damage, let text):
            packet.add(8)
            packet.add(time)
            packet.add(isDamaged ? 1 : 0)
            packet.add(damage)
            packet.add(text)
        }
        return packet
    }
}

/// What the service asks of a decoder that has opened a video.
enum VideoCommand {
    /// Answered with `frame`, or with `done` after the last.
    case next
    /// A part of the last frame; answered with `picture`.
    case crop(PixelArea)

    init(_ packet: Packet) throws {
        var packet = packet
        switch try packet.number() {
        case 0: self = .next
        case 1:
            let side = 0...1 << 24
            self = .crop(
                PixelArea(
                    left: try packet.number(side), top: try packet.number(side),
                    width: try packet.number(side), height: try packet.number(side)))
        default: throw Packet.Malformed()
        }
    }

    var packet: Packet {
        var packet = Packet()
        switch self {
        case .next: packet.add(0)
        case .crop(let area):
            for number in [1, area.left, area.top, area.width, area.height] { packet.add(number) }
        }
        return packet
    }
}

extension ImageError.Reason {
    fileprivate init(from packet: inout Packet) throws {
        switch try packet.number() {
        case 0: self = .empty
        case 1: self = .truncated
        case 2:
            self = .tooLarge(
                width: try packet.number(), height: try packet.number(), limit: try packet.number())
        case 3: self = .unsupported(try packet.text())
        case 4: self = .corrupt(try packet.text())
        default: self = .unreadable(try packet.text())
        }
    }

    fileprivate func write(to packet: inout Packet) {
        switch self {
        case .empty: packet.add(0)
        case .truncated: packet.add(1)
        case .tooLarge(let width, let height, let limit):
            for number in [2, width, height, limit] { packet.add(number) }
        case .unsupported(let text):
            packet.add(3)
            packet.add(text)
        case .corrupt(let text):
            packet.add(4)
            packet.add(text)
        case .unreadable(let text):
            packet.add(5)
            packet.add(text)
        case .missing, .noPermission, .unwritable:
            packet.add(5)
            packet.add("\(self)")
        }
    }
}
