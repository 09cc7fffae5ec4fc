import Foundation
import Jersey
import Torch

/// A model and its thread. Frames are decoded and resized on the decoder threads; the model gets
/// plain memory.
final class ServedModel: Predicting {
    private typealias Loaded = (sequence: FrameSequence, frames: LoadedSequence)

    let about: ModelDescription
    private let recognizer: Recognizer
    private let queue: BatchQueue<Loaded, Result<Reading, UnreadableSequence>>
    private let decoders: DecoderPool
    private let metrics: ServiceMetrics

    /// Loads and compiles the model on the thread that will run it.
    ///
    /// - Parameter file: the weights; nil for the bundled model.
    /// - Throws: `FileError` for a broken file; `UsageError` if the model cannot run in this
    ///   precision, or early exit is not calibrated.
    init(
        named name: String, version: Int, from file: String?, _ settings: ServerSettings,
        decoders: DecoderPool,
        metrics: ServiceMetrics
    ) async throws {
        let (queue, (about, recognizer)) = try await BatchQueue<Loaded, Result<Reading, UnreadableSequence>>
            .start(
                named: "model \(name)", batchSize: settings.batchSize, deadline: settings.deadline
            ) {
                Runtime.threads = settings.threads
                let checkpoint = try Checkpoint(
                    named: file ?? Checkpoint.bundledWord, published: settings.published)
                var options = Recognizer.Options()
                options.device = settings.device
                options.precision = settings.precision
                options.target = settings.target
                options.earlyExit = settings.earlyExit
                options.batchSize = settings.batchSize
                let recognizer: Recognizer
                do {
                    recognizer = try Recognizer(checkpoint, path: name, options: options)
                } catch let error as UsageError {
                    // The settings apply to all models; name the one that does not support them.
                    throw UsageError("the model \(name): \(error)", remedy: error.remedy)
                }
                let (card, reader) = (recognizer.card, recognizer.reader)
                let model = reader.model
                let about = ModelDescription(
                    name: name, version: version, architecture: card.spec.name,
                    parameters: model.parameterCount,
                    input: card.input, device: settings.device,
                    precision: model.precision,
                    threshold: reader.calibration?.threshold)
                return ((about, recognizer), { reader.read($0) })
            } report: { report in
                metrics.add(report, model: name)
            }
        self.queue = queue
        self.about = about
        self.recognizer = recognizer
        self.decoders = decoders
        self.metrics = metrics
    }

    func players(
        of job: VideoJob, progress: (MatchStep, _ frame: Int) -> Void, open: () throws -> VideoReader
    ) throws -> PlayerTable {
        try recognizer.players(
            following: PlayerTracker(try PlayerDetector.bundled(), job.tracking), roster: job.roster,
            in: job.name, progress: progress, open: open)
    }

    func predict(_ sequences: [FrameSequence]) async throws -> [Prediction] {
        let loader = recognizer.reader.loader
        let windows = sequences.flatMap { loader.windows(of: $0) }
        let pixels = sequences.reduce(0) { $0 + $1.pictureBytes / 3 }
        let loaded = try await decoders.run(.init(pixels: pixels)) { [loader, work = Work.current] _ in
            try windows.map { window in
                try work?.check()
                let frames = try loader.load(window)
                return (sequence: window.withoutPictures, frames: frames)
            }
        }
        metrics.depth.add(Double(loaded.count), about.name)
        defer { metrics.depth.add(-Double(loaded.count), about.name) }
        let results = try await withThrowingTaskGroup(of: (Int, Result<Reading, UnreadableSequence>).self) {
            group in
            for (index, item) in loaded.enumerated() {
                group.addTask { [queue] in (index, try await queue.submit(item)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return Prediction.joinedWindows(loaded.indices.compactMap { results[$0].map(Prediction.init) })
    }
}
