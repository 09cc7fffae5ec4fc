import Foundation
import Jersey

/// A video that a decoder process decodes for the service, which gives it the bytes of the file and
/// asks for frames and parts of them. It uses its process alone, and belongs to one thread.
final class DecodedVideo: FrameSource {
    let width: Int
    let height: Int
    let rate: Double?
    let expectedFrames: Int?
    private(set) var damage: (count: Int, first: String)?

    private let process: DecoderProcess
    private let file: UploadedFile.Part
    private let work: Work

    /// Begins at the video's start.
    ///
    /// - Parameters:
    ///   - process: idle.
    ///   - name: what errors call the video.
    ///   - work: the budget; its `limits.framePixels` bounds a frame.
    /// - Throws: `ServiceError` if it is not a video, or a frame is too large.
    init(_ file: UploadedFile.Part, named name: String, by process: DecoderProcess, _ work: Work) throws {
        var job = MediaJob(.video, sizes: [])
        job.name = name
        job.bytes = file.count
        job.framePixels = work.limits.framePixels
        job.cpuSeconds = max(1, Int(work.cpu.rounded(.up)))
        var opened: (width: Int, height: Int, rate: Double, frames: Int)?
        try process.ask(job.packet, work) { answer, pipes in
            if try Self.give(answer, file, pipes) { return false }
            guard case .opened(let width, let height, let rate, let frames) = answer,
                width * height <= work.limits.framePixels
            else { throw Packet.Malformed() }
            opened = (width, height, rate, frames)
            return true
        }
        let size = opened ?? (1, 1, 0, 0)
        (width, height) = (size.width, size.height)
        rate = size.rate > 0 ? size.rate : nil
        expectedFrames = size.frames > 0 ? size.frames : nil
        (self.process, self.file, self.work) = (process, file, work)
    }

    /// Sends bytes of the file if the decoder asked for them.
    private static func give(_ answer: MediaAnswer, _ file: UploadedFile.Part, _ pipes: PipeEnds) throws
        -> Bool
    {
        guard case .wanted(let offset, let count) = answer else { return false }
        guard offset <= file.count, count <= file.count - offset else { throw Packet.Malformed() }
        try file.bytes(from: offset, count).withUnsafeBytes { try pipes.send(block: $0) }
        return true
    }

    func next() throws -> (time: Double?, isDamaged: Bool)? {
        var frame: (time: Double?, isDamaged: Bool)?
        try process.ask(VideoCommand.next.packet, work) { answer, pipes in
            switch answer {
            case .wanted: return try !Self.give(answer, file, pipes)
            case .frame(let time, let isDamaged, let count, let first):
                frame = (time, isDamaged)
                damage = count > 0 ? (count, Shown.text(first)) : nil
            case .done: break
            default: throw Packet.Malformed()
            }
            return true
        }
        return frame
    }

    func crop(_ area: PixelArea) throws -> RGBImage {
        var pixels: [UInt8] = []
        try process.ask(VideoCommand.crop(area).packet, work) { answer, pipes in
            guard case .picture(_, area.width, area.height) = answer else { throw Packet.Malformed() }
            pixels = try pipes.bytes(3 * area.width * area.height)
            return true
        }
        return RGBImage(width: area.width, height: area.height, pixels: pixels)
    }
}
