import Foundation
import Hummingbird
import Jersey
import Torch

/// Threads for CPU-bound work: parsing bodies, resizing frames, and waiting for the decoder
/// processes, one per thread. Small jobs have their own threads, and large jobs run at lower
/// priority, so that an image never waits behind another client's video.
struct DecoderPool: Sendable {
    /// The size of a job.
    struct Size: Sendable {
        var bytes = 0
        /// Measured as in `DeclaredSize.cost`.
        var pixels = 0

        /// A video or an archive, whose size is unknown.
        static let unknown = Size(bytes: .max, pixels: .max)

        var isSmall: Bool { bytes <= 4 << 20 && pixels <= 4_000_000 }
    }

    private let quick: DecoderLane
    private let slow: DecoderLane

    /// Starts the threads, which run until the process ends.
    ///
    /// - Parameter startsProcesses: whether to start the decoder processes now instead of on first
    ///   use.
    init(_ settings: ServerSettings, startsProcesses: Bool = false) {
        // If a decoder dies, the service must survive.
        surviveBrokenPipes()
        quick = DecoderLane(settings, nice: 0, startsProcesses: startsProcesses)
        slow = DecoderLane(settings, nice: 10, startsProcesses: startsProcesses)
    }

    /// - Throws: what `body` throws; `CancellationError` if the task is cancelled before a thread
    ///   is free.
    func run<Output: Sendable>(_ size: Size, _ body: @escaping @Sendable (MediaDecoder) throws -> Output)
        async throws -> Output
    {
        try await (size.isSmall ? quick : slow).run(body)
    }
}

/// Threads that take jobs from the clients in turn.
private final class DecoderLane: Sendable {
    private let line = DecoderLine()

    init(_ settings: ServerSettings, nice: Int, startsProcesses: Bool) {
        for number in 1...settings.workers {
            let thread = Thread { [line] in
                // Applies to this thread only.
                if nice > 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Int32(nice)) }
                Runtime.useCallingThreadOnly()
                let decoder = MediaDecoder(settings, nice: nice)
                if startsProcesses { _ = try? decoder.start() }
                while true {
                    line.next()(decoder)
                    decoder.renew()
                }
            }
            thread.name = nice == 0 ? "decoder \(number)" : "slow decoder \(number)"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    func run<Output: Sendable>(_ body: @escaping @Sendable (MediaDecoder) throws -> Output) async throws
        -> Output
    {
        let id = UUID()
        let client = Work.current?.client ?? ""
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Output, any Error>) in
                line.add(id, client) { decoder in
                    continuation.resume(with: Result { try body(decoder) })
                } cancel: {
                    continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            line.remove(id, client)
        }
    }
}

/// State shared by the tasks and the threads.
///
/// `@unchecked Sendable`: all mutable state is accessed only under the condition's lock.
private final class DecoderLine: @unchecked Sendable {
    private struct Entry {
        let id: UUID
        let run: (MediaDecoder) -> Void
        let cancel: () -> Void
    }

    private let condition = NSCondition()
    private var waiting = FairQueue<Entry>()

    func add(
        _ id: UUID, _ client: String, run: @escaping (MediaDecoder) -> Void, cancel: @escaping () -> Void
    ) {
        let isCancelled = condition.withLock {
            // A later cancellation finds the entry in the queue.
            guard !Task.isCancelled else { return true }
            waiting.append(Entry(id: id, run: run, cancel: cancel), of: client)
            condition.signal()
            return false
        }
        if isCancelled { cancel() }
    }

    func remove(_ id: UUID, _ client: String) {
        condition.withLock { waiting.remove(of: client) { $0.id == id } }?.cancel()
    }

    func next() -> (MediaDecoder) -> Void {
        condition.withLock {
            while true {
                if let entry = waiting.popFirst() { return entry.run }
                condition.wait()
            }
        }
    }
}

/// The decoder of one thread: a process, restarted when it is gone.
final class MediaDecoder {
    private let settings: ServerSettings
    private let nice: Int
    private var process: DecoderProcess?

    fileprivate init(_ settings: ServerSettings, nice: Int) {
        self.settings = settings
        self.nice = nice
    }

    /// Nil if none has been started, or the last one is gone.
    var processID: Int32? { process.flatMap { $0.isUsable ? $0.process : nil } }

    @discardableResult
    fileprivate func start() throws -> DecoderProcess {
        if let process, process.isUsable { return process }
        let started = try DecoderProcess(settings.program, memory: settings.decoderMemory, nice: nice)
        process = started
        return started
    }

    /// Called after a job, so that the next one need not wait for a restart.
    fileprivate func renew() {
        if let process, !process.isUsable {
            self.process = nil
            _ = try? start()
        }
    }

    // MARK: Jobs

    /// Decodes a few small images on the calling thread; returns nil if any image is large or
    /// unknown, or all together are.
    ///
    /// - Throws: `ServiceError` if they exceed the limits, or there is not enough memory.
    func smallPictures(
        _ frames: [(name: String, bytes: Data)], _ work: Work, _ permit: Admission.MemoryPermit
    ) throws -> [Result<RGBImage, ImageError>]? {
        let sizes = frames.compactMap { DeclaredSize($0.bytes) }
        guard sizes.count == frames.count,
            sizes.allSatisfy({ $0.pixels <= work.limits.ownPixels && !$0.isProgressive })
        else {
            return nil
        }
        let total = sizes.reduce(0) { $0 + $1.pixels }
        // A decoder shrinks them.
        guard total <= work.limits.pixels else { return nil }
        try work.spend(pixels: total)
        try permit.take(3 * total)
        let before = Self.threadSeconds
        let pictures = try zip(frames, sizes).map { frame, size -> Result<RGBImage, ImageError> in
            try work.check()
            do {
                // An image must not be larger than its header says.
                return .success(
                    try RGBImage(decoding: frame.bytes, named: frame.name, maximumPixels: size.pixels))
            } catch let error as ImageError {
                return .failure(error)
            }
        }
        try work.spend(cpu: Self.threadSeconds - before)
        return pictures
    }

    /// CPU seconds that the calling thread has used.
    private static var threadSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Decodes images. Failures are reported per image.
    ///
    /// - Throws: `ServiceError` if they exceed the limits, or there is not enough memory.
    func pictures(
        _ frames: [(name: String, bytes: Data)], _ work: Work, _ permit: Admission.MemoryPermit
    ) throws -> [Result<RGBImage, ImageError>] {
        var job = MediaJob(.pictures, sizes: frames.map(\.bytes.count))
        job.framePixels = work.limits.framePixels
        job.pixels = work.limits.pixels
        var images: [Result<RGBImage, ImageError>] = []
        var room = Room(permit, most: 3 * work.limits.pixels)
        try start().run(job, frames.map(\.bytes), work) { answer, pipes in
            switch answer {
            case .question(let bytes): try room.add(bytes)
            case .picture(let index, let width, let height):
                guard index == images.count, index < frames.count else { throw Packet.Malformed() }
                images.append(.success(try room.picture(width, height, from: pipes)))
            case .broken(let index, let reason):
                guard index == images.count, index < frames.count else { throw Packet.Malformed() }
                images.append(.failure(ImageError(name: frames[index].name, reason: reason)))
            default: throw Packet.Malformed()
            }
        }
        // A finished job must have answered for each frame. Otherwise the decoder cannot be
        // trusted.
        guard images.count == frames.count else {
            throw ServiceError(.unprocessableContent, "the frames cannot be decoded")
        }
        return images
    }

    /// Decodes frames of a short video, with their indices.
    ///
    /// - Throws: `ServiceError` if it is not a video, or exceeds the limits.
    func film(
        _ bytes: Data, named name: String, _ work: Work, _ permit: Admission.MemoryPermit
    ) throws -> [(index: Int, image: Result<RGBImage, ImageError>)] {
        var job = MediaJob(.film, sizes: [bytes.count])
        job.name = name
        job.framePixels = work.limits.framePixels
        job.pixels = work.limits.pixels
        job.frames = work.limits.frames
        var images: [(index: Int, image: Result<RGBImage, ImageError>)] = []
        var room = Room(permit, most: 3 * work.limits.framePixels)
        try start().run(job, [bytes], work) { answer, pipes in
            switch answer {
            case .question(let bytes): try room.add(bytes)
            case .picture(let index, let width, let height):
                guard images.count < work.limits.frames else { throw Packet.Malformed() }
                images.append((index, .success(try room.picture(width, height, from: pipes))))
            case .broken(let index, let reason):
                guard images.count < work.limits.frames else { throw Packet.Malformed() }
                images.append((index, .failure(ImageError(name: "\(name)#frame=\(index)", reason: reason))))
            default: throw Packet.Malformed()
            }
        }
        return images
    }

    /// Extracts the frames in an archive: paths within it, and bytes.
    ///
    /// - Throws: `ServiceError` if it is not an archive, is unsafe, or exceeds the limits.
    func archive(
        _ bytes: Data, named name: String, _ work: Work, _ permit: Admission.MemoryPermit
    ) throws -> [(path: String, bytes: Data)] {
        let limits = work.limits
        var job = MediaJob(.archive, sizes: [bytes.count])
        job.name = name
        job.frames = limits.frames
        job.entryBytes = min(limits.bodyBytes, 16 << 20)
        job.bytes = 2 * limits.bodyBytes
        var files: [(path: String, bytes: Data)] = []
        var room = Room(permit, most: job.entryBytes)
        try start().run(job, [bytes], work) { answer, pipes in
            switch answer {
            case .question(let bytes): try room.add(bytes)
            case .file(let path, let count):
                try room.use(count)
                guard files.count < limits.frames else {
                    throw ServiceError(
                        .contentTooLarge,
                        "\(name) has more than \(limits.frames) frames; send fewer or split it")
                }
                files.append((path, Data(try pipes.bytes(count))))
            default: throw Packet.Malformed()
            }
        }
        return files
    }
}

/// Memory for a decoder's output. It is claimed before the output arrives, and no more than claimed
/// is accepted.
private struct Room {
    private let permit: Admission.MemoryPermit
    private let most: Int
    private var left = 0

    /// - Parameter most: the most bytes in one request for memory.
    init(_ permit: Admission.MemoryPermit, most: Int) { (self.permit, self.most) = (permit, most) }

    /// - Throws: `ServiceError` if there is not enough memory; `Malformed` if the request is too
    ///   large.
    mutating func add(_ bytes: Int) throws {
        guard 0...most ~= bytes else { throw Packet.Malformed() }
        try permit.take(bytes)
        left += bytes
    }

    /// - Throws: `Malformed` if that much was not claimed.
    mutating func use(_ bytes: Int) throws {
        guard bytes <= left else { throw Packet.Malformed() }
        left -= bytes
    }

    mutating func picture(_ width: Int, _ height: Int, from pipes: PipeEnds) throws -> RGBImage {
        try use(3 * width * height)
        return RGBImage(width: width, height: height, pixels: try pipes.bytes(3 * width * height))
    }
}
