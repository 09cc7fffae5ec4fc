import CSandbox
import Foundation
import Hummingbird
import Jersey

/// The decoder's side: a sandboxed process with only memory, two pipes, and one job at a time. A
/// malicious file can do damage only here.
package enum DecoderWorker {
    /// The first argument that turns the program into a decoder; not a command for users.
    package static let word = "decode-media"

    /// Works until the service closes the pipe. `arguments`: bytes of memory, and the nice value.
    package static func run(_ arguments: [String]) -> Never {
        guard arguments.count == 2, let memory = Int64(arguments[0]), let nice = Int32(arguments[1]) else {
            _exit(64)
        }
        // Signals are for the service, which first answers its open requests. When it ends, it
        // closes the pipe.
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
        // Load these now; loading would fail inside the sandbox.
        _ = VideoReader.libraryVersion
        UnpackedArchive.prepare()
        if cs_enter(memory, nice) != nil { _exit(70) }
        let pipes = PipeEnds(input: 0, output: 1)
        do {
            // Reports that the sandbox is in place.
            try pipes.send(MediaAnswer.done(pixels: 0).packet)
            try pipes.flush()
            while true { try work(pipes) }
        } catch {
            _exit(0)
        }
    }

    /// Reads exactly the bytes that were sent, and also answers a job that fails.
    private static func work(_ pipes: PipeEnds) throws {
        let job = try MediaJob(pipes.receive())
        guard cs_limit_cpu(Int64(job.cpuSeconds)) else { _exit(70) }
        let blocks = try job.sizes.map { Data(try pipes.bytes($0)) }
        do {
            var decoding = Decoding(job: job, pipes: pipes)
            switch job.kind {
            case .pictures: try decoding.pictures(blocks)
            case .film: try decoding.film(blocks.first ?? Data())
            case .archive: try decoding.archive(blocks.first ?? Data())
            case .video: try decoding.video()
            }
            try pipes.send(MediaAnswer.done(pixels: decoding.decoded).packet)
        } catch let error as ServiceError {
            try pipes.send(MediaAnswer.failed(isTooLarge: true, error.description).packet)
        } catch let error as FileError {
            let text = "\(error.path) \(error.reason)" + (error.advice.map { "; \($0)" } ?? "")
            try pipes.send(MediaAnswer.failed(isTooLarge: false, text).packet)
        } catch is Refused {
            try pipes.send(MediaAnswer.failed(isTooLarge: true, "").packet)
        }
        try pipes.flush()
    }

    /// The service knows the reason: it refused the memory, or the request has no pixels left.
    private struct Refused: Error {}

    private struct Decoding {
        let job: MediaJob
        let pipes: PipeEnds
        var decoded = 0

        /// Asks the service for permission to send this many bytes.
        private mutating func ask(_ bytes: Int) throws {
            try pipes.send(MediaAnswer.question(bytes).packet)
            try pipes.flush()
            guard try pipes.bytes(1) == [1] else { throw Refused() }
        }

        mutating func pictures(_ blocks: [Data]) throws {
            // Read all headers before decoding anything. Images that are too large or invalid are
            // not decoded.
            let sizes = blocks.map {
                (try? ImageInfo(decoding: $0, named: "")).map { $0.width * $0.height } ?? 0
            }
            let wanted = sizes.map { $0 <= job.framePixels ? $0 : 0 }
            let total = wanted.reduce(0, +)
            let kept = PixelBudget(total: job.pixels).kept(of: wanted)
            let sent = kept.reduce(0, +)
            guard sent <= job.pixels else { throw Work.tooManyPixelsTogether(job.pixels) }
            if total > job.totalPixels { throw Refused() }
            try ask(3 * sent)
            for (index, block) in blocks.enumerated() {
                do {
                    let image = try RGBImage(
                        decoding: block, named: "", maximumPixels: min(job.framePixels, max(sizes[index], 1)))
                    try send(image.shrunk(to: kept[index]), index)
                } catch let error as ImageError {
                    try pipes.send(MediaAnswer.broken(index: index, error.reason).packet)
                }
            }
            decoded = total
        }

        private func send(_ image: RGBImage, _ index: Int) throws {
            try pipes.send(MediaAnswer.picture(index: index, width: image.width, height: image.height).packet)
            try image.pixels.withUnsafeBytes { try pipes.send(block: $0) }
        }

        mutating func film(_ bytes: Data) throws {
            let video = try VideoReader(decoding: bytes, named: job.name, maximumPixels: job.framePixels)
            let size = video.width * video.height
            // Counted, because a header may lack the length, or lie.
            let count = min(VideoReader.frameCount(in: bytes), job.frames)
            let (pixels, step) = PixelBudget(total: job.pixels).kept(ofFrames: count, size: size)
            var kept = 0
            while let frame = try video.next() {
                guard frame.index < job.frames else {
                    throw ServiceError(
                        .contentTooLarge,
                        "\(job.name) has more than \(job.frames) frames; send fewer or split it")
                }
                decoded += size
                if decoded > job.totalPixels { throw Refused() }
                guard frame.index % step == 0 else { continue }
                kept += pixels
                guard kept <= job.pixels else { throw Work.tooManyPixelsTogether(job.pixels) }
                if frame.isDamaged {
                    try pipes.send(
                        MediaAnswer.broken(index: frame.index, .corrupt("damaged in the video")).packet)
                } else {
                    try ask(3 * pixels)
                    try send(try video.image().shrunk(to: pixels), frame.index)
                }
            }
        }

        /// Decodes a video frame by frame as the service asks, until its end.
        func video() throws {
            let video = try VideoReader(count: job.bytes, named: job.name, maximumPixels: job.framePixels) {
                [pipes] offset, buffer in
                do {
                    try pipes.send(MediaAnswer.wanted(offset: offset, count: buffer.count).packet)
                    try pipes.flush()
                    buffer.copyBytes(from: try pipes.bytes(buffer.count))
                    return true
                } catch {
                    return false
                }
            }
            try pipes.send(
                MediaAnswer.opened(
                    width: video.width, height: video.height, rate: video.rate,
                    frames: video.expectedFrames ?? 0
                ).packet)
            try pipes.flush()
            while true {
                switch try VideoCommand(pipes.receive()) {
                case .next:
                    guard let frame = try video.next() else { return }
                    try pipes.send(
                        MediaAnswer.frame(
                            time: min(frame.time, 1e9), isDamaged: frame.isDamaged,
                            damage: video.damage?.count ?? 0,
                            video.damage?.first ?? ""
                        ).packet)
                case .crop(let area):
                    try send(try video.crop(area), 0)
                }
                try pipes.flush()
            }
        }

        mutating func archive(_ bytes: Data) throws {
            var limits = UnpackedArchive.Limits()
            limits.entries = 2 * job.frames
            limits.entryBytes = job.entryBytes
            limits.bytes = job.bytes
            try UnpackedArchive.read(bytes, called: job.name, limits: limits) { path, content in
                try ask(content.count)
                try pipes.send(MediaAnswer.file(path, content.count).packet)
                try content.withUnsafeBytes { try pipes.send(block: $0) }
            }
        }
    }
}
