import Foundation
import Hummingbird
import Jersey
import Synchronization

/// The common part of all routes that read numbers: admission, the size of the body, the threads
/// for the work, and cancellation when clients leave.
struct PredictionHandler: Sendable {
    let registry: ModelRegistry
    let admission: Admission
    let decoders: DecoderPool
    let limits: RequestLimits
    let metrics: ServiceMetrics
    let jobs: JobBoard
    let underWay = UnderWay()

    /// Sequences of a request to decode and read concurrently: enough to keep all threads busy
    /// without holding up other requests. Only one if images are large, so that they are not all in
    /// memory at once.
    private static func atOnce(_ sequences: [Upload.Sequence]) -> Int {
        sequences.allSatisfy(\.size.isSmall) ? 4 : 1
    }

    init(
        _ registry: ModelRegistry, _ settings: ServerSettings, decoders: DecoderPool, metrics: ServiceMetrics
    ) {
        self.registry = registry
        self.decoders = decoders
        self.metrics = metrics
        limits = settings.limits
        jobs = JobBoard(settings, metrics)
        admission = Admission(
            .init(requests: settings.queue, bytes: settings.memory),
            ofClient: .init(requests: settings.clientQueue, bytes: settings.clientMemory))
    }

    /// Whether requests are accepted and answered.
    var isReady: Bool { registry.isReady && !underWay.isStuck }

    /// - Parameters:
    ///   - pictures: whether to return small images of the frames.
    ///   - parse: parses the body into the request and its sequences; runs on a decoding thread.
    ///   - answer: encodes the response; runs on a decoding thread.
    /// - Throws: `ServiceError`, or an error that `ServiceError.init` converts.
    func respond<Asked: Sendable>(
        to request: Request, _ context: ServiceContext, model name: String? = nil, version: String? = nil,
        pictures: Bool = false,
        parse: @escaping @Sendable (Data, inout Upload) throws -> (Asked, [Upload.Sequence]),
        answer: @escaping @Sendable (ModelDescription, Asked, [ReadSequence]) throws -> Data
    ) async throws -> Response {
        let client = Connections.client(of: context.channel)
        let model = try registry.model(name, version: version)
        try admission.check(client)
        return try await admission.withMemoryPermit(client) { permit in
            let body = try await collect(request, context, permit)
            return try await admission.admitted(client) {
                let work = Work(limits, of: client)
                let json = try await Work.$current.withValue(work) {
                    try await underWay.run(work, context) {
                        try await read(
                            body, model, work, permit, pictures: pictures, parse: parse, answer: answer)
                    }
                }
                return Response(json: json)
            }
        }
    }

    private func read<Asked: Sendable>(
        _ body: Data, _ model: any Predicting, _ work: Work, _ permit: Admission.MemoryPermit, pictures: Bool,
        parse: @escaping @Sendable (Data, inout Upload) throws -> (Asked, [Upload.Sequence]),
        answer: @escaping @Sendable (ModelDescription, Asked, [ReadSequence]) throws -> Data
    ) async throws -> Data {
        let start = ContinuousClock.now
        let (asked, uploaded, small) = try await decoders.run(.init(bytes: body.count)) { decoder in
            var upload = Upload(limits, permit)
            let (asked, sequences) = try parse(body, &upload)
            // A single small sequence is decoded now, instead of waiting for another turn.
            let small = sequences.count == 1 ? try decoder.smallSequence(sequences[0], work, permit) : nil
            return (asked, sequences, small)
        }
        // It was decoded together with the body.
        if small != nil { metrics.decode.observe((ContinuousClock.now - start).seconds, model.about.name) }
        var sequences: [Upload.Sequence] = []
        for sequence in uploaded {
            guard case .archive(let bytes, let name) = sequence.content else {
                sequences.append(sequence)
                continue
            }
            sequences += try await decoders.run(sequence.size) { decoder in
                var upload = Upload(limits, permit)
                return try upload.sequences(
                    decoder.archive(bytes, named: name, work, permit), inArchive: name)
            }
        }
        let read = try await readAll(sequences, decoded: small, model, work, permit, pictures: pictures)
        if let reason = Self.refusal(read.map(\.prediction)) { throw reason }
        metrics.add(read.map(\.prediction), model: model.about.name)
        return try await decoders.run(.init()) { _ in try answer(model.about, asked, read) }
    }

    /// Reads each sequence separately, so that the images of all need not be in memory at once.
    private func readAll(
        _ sequences: [Upload.Sequence], decoded: FrameSequence?, _ model: any Predicting, _ work: Work,
        _ permit: Admission.MemoryPermit,
        pictures: Bool
    ) async throws -> [ReadSequence] {
        try await withThrowingTaskGroup(of: (Int, ReadSequence).self) { group in
            var read: [Int: ReadSequence] = [:]
            let atOnce = Self.atOnce(sequences)
            var picturesLeft = pictures ? PredictionAnswer.mostPictures : 0
            for (index, sequence) in sequences.enumerated() {
                if index >= atOnce, let (done, result) = try await group.next() { read[done] = result }
                let allowed = picturesLeft
                if case .frames(let frames) = sequence.content {
                    picturesLeft = max(0, picturesLeft - frames.count)
                }
                group.addTask {
                    let read = try await readOne(
                        sequence, decoded: decoded, model, work, permit, pictures: pictures ? allowed : nil)
                    return (index, read)
                }
            }
            for try await (done, result) in group { read[done] = result }
            return sequences.indices.compactMap { read[$0] }
        }
    }

    private func readOne(
        _ uploaded: Upload.Sequence, decoded: FrameSequence?, _ model: any Predicting, _ work: Work,
        _ permit: Admission.MemoryPermit,
        pictures: Int?
    ) async throws -> ReadSequence {
        let sequence: FrameSequence
        if let decoded {
            sequence = decoded
        } else {
            let start = ContinuousClock.now
            sequence = try await decoders.run(uploaded.size) { try $0.sequence(uploaded, work, permit) }
            metrics.decode.observe((ContinuousClock.now - start).seconds, model.about.name)
        }
        defer { permit.release(sequence.pictureBytes) }
        guard let prediction = try await model.predict([sequence]).first else {
            throw ServiceError.clientLeft
        }
        let names = sequence.withoutPictures
        guard let pictures else {
            return ReadSequence(sequence: names, prediction: prediction, pictures: nil)
        }
        return try await decoders.run(uploaded.size) { _ in
            ReadSequence(
                sequence: names, prediction: prediction,
                pictures: PredictionAnswer.pictures(of: prediction, sequence, atMost: pictures))
        }
    }

    /// An error if nothing could be read at all: the fault lies with the request.
    private static func refusal(_ predictions: [Prediction]) -> ServiceError? {
        guard predictions.allSatisfy({ $0.confidence == nil && !$0.unreadable }),
            let problem = predictions.first?.leftOut.first
        else { return nil }
        return ServiceError(.unprocessableContent, "no frame can be read: \(problem.path) \(problem.reason)")
    }
}

/// A sequence without its images, its prediction, and if requested, small images by frame path.
struct ReadSequence: Sendable {
    let sequence: FrameSequence
    let prediction: Prediction
    let pictures: [String: String]?
}

extension MediaDecoder {
    /// Nil if decoding needs a process.
    ///
    /// - Throws: `ServiceError` if the sequence exceeds the limits.
    fileprivate func smallSequence(
        _ uploaded: Upload.Sequence, _ work: Work, _ permit: Admission.MemoryPermit
    ) throws
        -> FrameSequence?
    {
        guard uploaded.size.isSmall, case .frames(let frames) = uploaded.content,
            let images = try smallPictures(frames, work, permit)
        else { return nil }
        let names = frames.map(\.name)
        return FrameSequence(
            id: uploaded.id, track: uploaded.track, number: nil, frames: names, images: images,
            anchor: names.firstIndex { FrameOrder.isAnchor($0.lastName) })
    }

    /// - Throws: `ServiceError` if the sequence cannot be decoded, or exceeds the limits.
    fileprivate func sequence(_ uploaded: Upload.Sequence, _ work: Work, _ permit: Admission.MemoryPermit)
        throws -> FrameSequence
    {
        if let small = try smallSequence(uploaded, work, permit) { return small }
        let names: [String]
        let images: [Result<RGBImage, ImageError>]
        var anchor: Int?
        switch uploaded.content {
        case .frames(let frames):
            names = frames.map(\.name)
            images = try pictures(frames, work, permit)
            anchor = names.firstIndex { FrameOrder.isAnchor($0.lastName) }
        case .film(let bytes, let name):
            let frames = try film(bytes, named: name, work, permit)
            names = frames.map { "\(name)#frame=\($0.index)" }
            images = frames.map(\.image)
        case .archive: preconditionFailure("an archive is not a sequence")
        }
        return FrameSequence(
            id: uploaded.id, track: uploaded.track, number: nil, frames: names, images: images, anchor: anchor
        )
    }
}

extension FrameSequence {
    /// Bytes of its images, three per pixel.
    var pictureBytes: Int { (images ?? []).reduce(0) { $0 + ((try? $1.get())?.pixels.count ?? 0) } }

    /// A copy without images, which take far more memory than the rest.
    var withoutPictures: FrameSequence {
        FrameSequence(id: id, track: track, number: number, frames: frames, anchor: anchor)
    }
}

/// The requests in progress, and whether they make progress.
final class UnderWay: Sendable {
    private struct State {
        var works: [ObjectIdentifier: Work] = [:]
        /// When a request last timed out; nil once another is answered.
        var missed: ContinuousClock.Instant?
        var end: ServiceError?
    }

    /// How long a service that answers nothing reports not ready, before it may be tried again.
    private static let pause = Duration.seconds(30)

    /// How long a request may take to end after its deadline.
    private static let delay = Duration.seconds(10)

    private let state = Mutex(State())

    /// Whether the latest request timed out, or one runs long past its deadline.
    var isStuck: Bool {
        state.withLock { state in
            state.missed.map { $0 + Self.pause > .now } ?? false
                || state.works.values.contains { $0.deadline + Self.delay < .now }
        }
    }

    /// Ends all requests, current and future.
    func endAll(_ reason: ServiceError) {
        let works = state.withLock { state in
            state.end = reason
            return Array(state.works.values)
        }
        for work in works { work.end(reason) }
    }

    /// Runs `body`, and cancels it if the client leaves or the deadline passes.
    ///
    /// - Throws: what `body` throws; `ServiceError` if it was cancelled.
    func run<Output: Sendable>(
        _ work: Work, _ context: ServiceContext, _ body: @escaping @Sendable () async throws -> Output
    ) async throws -> Output {
        let end = state.withLock { state in
            state.works[ObjectIdentifier(work)] = work
            return state.end
        }
        defer { state.withLock { _ = $0.works.removeValue(forKey: ObjectIdentifier(work)) } }
        if let end { work.end(end) }
        let task = Task(operation: body)
        work.onEnd { task.cancel() }
        await context.channel.onLeave { work.end(.clientLeft) }
        let timer = Task {
            try await Task.sleep(until: work.deadline)
            work.end(work.tooLate)
        }
        defer { timer.cancel() }
        do {
            let output = try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                work.end(.clientLeft)
            }
            state.withLock { $0.missed = nil }
            return output
        } catch {
            guard let reason = work.end else { throw error }
            if reason == work.tooLate { state.withLock { $0.missed = .now } }
            throw reason
        }
    }
}
