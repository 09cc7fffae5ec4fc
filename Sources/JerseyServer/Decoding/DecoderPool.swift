import Foundation
import Hummingbird
import Jersey
import Torch

/// Threads for work that keeps a processor busy: parsing bodies, fitting frames, and waiting for the processes that decode, of which each
/// thread has one. What is small has threads of its own, and what is not stands behind for a processor, so that nobody waits with a
/// picture for somebody's film.
struct DecoderPool: Sendable {
    /// How much there is to do.
    struct Size: Sendable {
        var bytes = 0
        /// As `DeclaredSize.cost` counts them.
        var pixels = 0

        /// A film's or an archive's, which nobody knows.
        static let unknown = Size(bytes: .max, pixels: .max)

        var isSmall: Bool { bytes <= 4 << 20 && pixels <= 4_000_000 }
    }

    private let quick: DecoderLane
    private let slow: DecoderLane

    /// Starts the threads; they stay for the rest of the process.
    ///
    /// - Parameter startsProcesses: now, and not when one is needed.
    init(_ settings: ServerSettings, startsProcesses: Bool = false) {
        // A decoder that dies must not take the service with it.
        surviveBrokenPipes()
        quick = DecoderLane(settings, nice: 0, startsProcesses: startsProcesses)
        slow = DecoderLane(settings, nice: 10, startsProcesses: startsProcesses)
    }

    /// - Throws: what `body` throws; `CancellationError` where the task is cancelled before a thread is free.
    func run<Output: Sendable>(_ size: Size, _ body: @escaping @Sendable (MediaDecoder) throws -> Output) async throws -> Output {
        try await (size.isSmall ? quick : slow).run(body)
    }
}

/// Threads that take what waits in turns.
private final class DecoderLane: Sendable {
    private let line = DecoderLine()

    init(_ settings: ServerSettings, nice: Int, startsProcesses: Bool) {
        for number in 1...settings.workers {
            let thread = Thread { [line] in
                // This thread's alone.
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

    func run<Output: Sendable>(_ body: @escaping @Sendable (MediaDecoder) throws -> Output) async throws -> Output {
        let id = UUID()
        let client = Work.current?.client ?? ""
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Output, any Error>) in
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

/// What the tasks and the threads share.
///
/// `@unchecked Sendable`: all mutable state is touched under the condition's lock only.
private final class DecoderLine: @unchecked Sendable {
    private struct Entry {
        let id: UUID
        let run: (MediaDecoder) -> Void
        let cancel: () -> Void
    }

    private let condition = NSCondition()
    private var waiting = FairQueue<Entry>()

    func add(_ id: UUID, _ client: String, run: @escaping (MediaDecoder) -> Void, cancel: @escaping () -> Void) {
        let isCancelled = condition.withLock {
            // Whoever cancels later finds it among those waiting.
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

/// What decodes on one thread: a process, which is replaced where it is gone.
final class MediaDecoder {
    private let settings: ServerSettings
    private let nice: Int
    private var process: DecoderProcess?

    fileprivate init(_ settings: ServerSettings, nice: Int) {
        self.settings = settings
        self.nice = nice
    }

    /// Nil where none was needed yet, or the last is gone.
    var processID: Int32? { process.flatMap { $0.isUsable ? $0.process : nil } }

    @discardableResult
    fileprivate func start() throws -> DecoderProcess {
        if let process, process.isUsable { return process }
        let started = try DecoderProcess(settings.program, memory: settings.decoderMemory, nice: nice)
        process = started
        return started
    }

    /// Behind a job, so that the next need not wait.
    fileprivate func renew() {
        if let process, !process.isUsable {
            self.process = nil
            _ = try? start()
        }
    }

    // MARK: Jobs

    /// Pictures that are small, and few, on the calling thread; nil where one of them is not, or where it cannot be told.
    ///
    /// - Throws: `ServiceError` where they are more than the limits allow, or the memory that they take is not there.
    func smallPictures(
        _ frames: [(name: String, bytes: Data)], _ work: Work, _ permit: Admission.MemoryPermit
    ) throws -> [Result<RGBImage, ImageError>]? {
        let sizes = frames.compactMap { DeclaredSize($0.bytes) }
        guard sizes.count == frames.count, sizes.allSatisfy({ $0.pixels <= work.limits.ownPixels && !$0.isProgressive }) else {
            return nil
        }
        let total = sizes.reduce(0) { $0 + $1.pixels }
        guard total <= work.limits.pixels else { throw Work.tooManyPixelsTogether(work.limits.pixels) }
        try work.spend(pixels: total)
        try permit.take(3 * total)
        let before = Self.threadSeconds
        let pictures = try zip(frames, sizes).map { frame, size -> Result<RGBImage, ImageError> in
            try work.check()
            do {
                // What says of itself to be small has to be.
                return .success(try RGBImage(decoding: frame.bytes, named: frame.name, maximumPixels: size.pixels))
            } catch let error as ImageError {
                return .failure(error)
            }
        }
        try work.spend(cpu: Self.threadSeconds - before)
        return pictures
    }

    /// Seconds of a processor that the calling thread has taken.
    private static var threadSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Pictures; what cannot be decoded is told for each.
    ///
    /// - Throws: `ServiceError` where they are more than the limits allow, or the memory that they take is not there.
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
            case .file, .done, .failed: throw Packet.Malformed()
            }
        }
        // A job that is done has answered for each; what says otherwise is not to be trusted.
        guard images.count == frames.count else { throw ServiceError(.unprocessableContent, "the frames cannot be decoded") }
        return images
    }

    /// Frames of a short film: their numbers and pictures.
    ///
    /// - Throws: `ServiceError` for what is no film, or more than the limits allow.
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
            case .file, .done, .failed: throw Packet.Malformed()
            }
        }
        return images
    }

    /// The frames in an archive: paths within it, and the bytes of each.
    ///
    /// - Throws: `ServiceError` for what is no archive, must not be trusted, or is more than the limits allow.
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
                        .contentTooLarge, "\(name) has more than \(limits.frames) frames; send fewer, or a part of it")
                }
                files.append((path, Data(try pipes.bytes(count))))
            case .picture, .broken, .done, .failed: throw Packet.Malformed()
            }
        }
        return files
    }
}

/// Memory for what a decoder says that it will send. It is asked for before it comes, and no more comes than was asked for.
private struct Room {
    private let permit: Admission.MemoryPermit
    private let most: Int
    private var left = 0

    /// - Parameter most: bytes that may be asked for at once.
    init(_ permit: Admission.MemoryPermit, most: Int) { (self.permit, self.most) = (permit, most) }

    /// - Throws: `ServiceError` where the memory is not there; `Malformed` where it is more than there may be.
    mutating func add(_ bytes: Int) throws {
        guard 0...most ~= bytes else { throw Packet.Malformed() }
        try permit.take(bytes)
        left += bytes
    }

    /// - Throws: `Malformed` where as much was not asked for.
    mutating func use(_ bytes: Int) throws {
        guard bytes <= left else { throw Packet.Malformed() }
        left -= bytes
    }

    mutating func picture(_ width: Int, _ height: Int, from pipes: PipeEnds) throws -> RGBImage {
        try use(3 * width * height)
        return RGBImage(width: width, height: height, pixels: try pipes.bytes(3 * width * height))
    }
}
