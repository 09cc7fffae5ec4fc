import Foundation
import Torch

/// Runs a model over sequences.
public struct SequenceReader {
    public var model: JerseyModel
    public let loader: SequenceLoader
    public var batchSize: Int
    public var workers: Int
    /// Pads as the study does; results do not depend on it but for its top-k attention.
    public var pads: Bool
    /// Makes confidences honest, and tells below which one not to answer; nil takes what the model says.
    public var calibration: ModelCalibration?
    /// Looks at no more frames of a sequence than it takes to be sure; nil looks at all.
    public var anytime: AnytimeReading?
    /// Reads no more windows of a long track than it takes to be sure, and none that a glance finds blank (`WindowReader`).
    public var skims = false

    public init(model: JerseyModel, loader: SequenceLoader, batchSize: Int = 16, workers: Int = 2) {
        self.model = model
        self.loader = loader
        self.batchSize = batchSize
        self.workers = workers
        // A model of single frames has an answer for every frame, and none for padding.
        pads = model.published && !model.spec.readsAnchorOnly
    }

    /// Reads all sequences, in order, and hands over each as it is done.
    ///
    /// - Parameter body: gets a reading, or a sequence without a readable frame and the reasons.
    /// - Throws: what a strict loader throws.
    public func read(
        _ sequences: [FrameSequence], _ body: (Result<Reading, UnreadableSequence>) throws -> Void
    ) throws {
        try read(sequences, batch: { read($0, until: anytime?.stops) }, body)
    }

    /// - Parameter readings: reads a batch.
    func read(
        _ sequences: [FrameSequence], batch readings: (BatchLoader.Batch) -> [Reading],
        _ body: (Result<Reading, UnreadableSequence>) throws -> Void
    ) throws {
        let batches = batchLoader(sequences)
        try model.store.evaluating {
            while let batch = try batches.next() {
                for result in results(of: batch, withoutGradients { readings(batch) }) { try body(result) }
            }
        }
    }

    /// Reads one batch of what this reader's loader has loaded, all at once: a result for each, in order.
    package func read(
        _ loaded: [(sequence: FrameSequence, frames: LoadedSequence)]
    ) -> [Result<Reading, UnreadableSequence>] {
        let batch = BatchLoader.Batch(loaded, size: loader.preprocessor, pads: pads)
        return results(of: batch, model.store.evaluating { withoutGradients { read(batch, until: anytime?.stops) } })
    }

    private func results(of batch: BatchLoader.Batch, _ readings: [Reading]) -> [Result<Reading, UnreadableSequence>] {
        var (readings, unreadable) = (readings[...], batch.unreadable[...])
        return batch.isReadable.map { isReadable in
            guard isReadable else { return .failure(unreadable.removeFirst()) }
            let reading = readings.removeFirst()
            return reading.isNumber ? .success(reading) : .failure(UnreadableSequence(brokenOutput: reading))
        }
    }

    /// All readings, in order, and the sequences without a readable frame.
    ///
    /// - Parameter progress: called after each sequence; what it throws ends the reading.
    public func readAll(
        _ sequences: [FrameSequence], progress: () throws -> Void = {}
    ) throws -> ([Reading], [UnreadableSequence]) {
        try readAll(sequences, batch: { read($0, until: anytime?.stops) }, progress: progress)
    }

    func readAll(
        _ sequences: [FrameSequence], batch: (BatchLoader.Batch) -> [Reading], progress: () throws -> Void
    ) throws -> ([Reading], [UnreadableSequence]) {
        var readings: [Reading] = []
        var unreadable: [UnreadableSequence] = []
        try read(sequences, batch: batch) { result in
            switch result {
            case .success(let reading): readings.append(reading)
            case .failure(let sequence): unreadable.append(sequence)
            }
            try progress()
        }
        return (readings, unreadable)
    }

    /// Log-probabilities from the logits of a head (N, C).
    static func rows(_ logits: Tensor) -> [[Double]] {
        let values = Runtime.onCallingThread { logits.to(dtype: .float64).logSoftmax(over: 1).array(of: Double.self) }
        let width = logits.shape[1]
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }

    /// As far as the model's evidence is to be believed.
    func judged(_ belief: Belief) -> Belief {
        calibration.map { belief.cooled(to: $0.temperature) } ?? belief
    }

    /// The frames of all sequences in memory, to be read again and again.
    ///
    /// - Throws: what a strict loader throws.
    package func batches(of sequences: [FrameSequence]) throws -> [BatchLoader.Batch] {
        let loader = batchLoader(sequences)
        var batches: [BatchLoader.Batch] = []
        while let batch = try loader.next() { batches.append(batch) }
        return batches
    }

    private func batchLoader(_ sequences: [FrameSequence]) -> BatchLoader {
        BatchLoader(sequences.map { .init($0) }, batchSize: batchSize, loader: loader, workers: workers, pads: pads)
    }

    /// Looks at all frames, at once.
    func read(_ batch: BatchLoader.Batch) -> [Reading] {
        guard !batch.sequences.isEmpty else { return [] }
        let opinions = batch.isPadded || model.device == .cuda ? opinionsInOnePass(batch) : opinionsOnFrames(batch)
        return zip(batch.sequences.indices, opinions).map { reading(of: $0, in: batch, frames: 0..<batch.lengths[$0], $1) }
    }

    /// A whole pass of the model, which a GPU may have recorded, and which can be padded.
    private func opinionsInOnePass(_ batch: BatchLoader.Batch) -> [Opinion] {
        let frames = FramePreprocessor.normalized(batch.frames, on: model.device)
        return opinions(model(frames, lengths: batch.lengths, isPadded: batch.isPadded), lengths: batch.lengths)
    }

    private func opinionsOnFrames(_ batch: BatchLoader.Batch) -> [Opinion] {
        var next = 0
        let rows = batch.lengths.map { length in
            defer { next += length }
            return Array(next..<next + length)
        }
        return opinions(of: rows, in: SeenFrames(batch.frames, by: model))
    }

    /// What a model says of a sequence, before it is calibrated.
    struct Opinion {
        let belief: Belief
        let full: [Double]?
        /// Weights of the frames; nil where the model has none.
        let weights: [Double]?
    }

    /// Of each of the sequences that `output` is about.
    func opinions(_ output: JerseyModel.Output, lengths: [Int]) -> [Opinion] {
        let (tens, ones, full) = (Self.rows(output.tens), Self.rows(output.ones), output.full.map(Self.rows))
        // The equal weights of a mean are nothing that a model attends to.
        let attention = (model.spec.pooling.weighsFrames ? output.attention : nil).map {
            ($0.array(of: Double.self), $0.shape[1])
        }
        var start = 0
        return lengths.enumerated().map { index, length in
            // A model of single frames has a row for every frame: they are looks at the same player.
            let range = model.spec.readsAnchorOnly ? start..<start + length : index..<index + 1
            start += length
            let looks = range.map { Belief(tens: tens[$0], ones: ones[$0]) }
            let belief = Belief(windows: looks)
            return Opinion(
                belief: belief, full: full.map { Belief.combined(Array($0[range])) },
                weights: attention.map { Array($0.0[index * $0.1..<index * $0.1 + length]) }
                    ?? (looks.count > 1 ? belief.shares(of: looks) : nil))
        }
    }

    /// - Parameter frames: those of the sequence's frames in the batch that the opinion rests on.
    func reading(of index: Int, in batch: BatchLoader.Batch, frames: some Sequence<Int>, _ opinion: Opinion) -> Reading {
        let (belief, sequence) = (judged(opinion.belief), batch.sequences[index])
        return Reading(
            sequence: sequence, tens: belief.tens, ones: belief.ones, full: opinion.full,
            used: frames.map { batch.used[index][$0] }, heights: frames.map { batch.heights[index][$0] },
            attention: opinion.weights, problems: batch.leftOut[index], threshold: calibration?.threshold,
            precision: model.precision)
    }
}

/// A sequence of which no frame could be read, or of which the model's output is not a number.
public struct UnreadableSequence: Error, Sendable {
    public let sequence: FrameSequence
    public let problems: [FrameProblem]
    /// Whether frames were read, and what the model made of them is no number: its weights are broken, or too large for the precision.
    public let hasBrokenOutput: Bool

    init(sequence: FrameSequence, problems: [FrameProblem]) {
        (self.sequence, self.problems, hasBrokenOutput) = (sequence, problems, false)
    }

    /// No comparison with what is not a number holds, so that a threshold would let it pass.
    init(brokenOutput reading: Reading) {
        sequence = reading.sequence
        problems =
            reading.problems + [
                FrameProblem(
                    path: reading.sequence.id,
                    reason:
                        "is unreadable: the model's output is not a number; its weights are broken, or need --precision float32")
            ]
        hasBrokenOutput = true
    }
}

extension UnreadableSequence: CustomStringConvertible, LocalizedError {
    public var description: String {
        if hasBrokenOutput, let last = problems.last { return "\(last.path) \(last.reason)" }
        let first = problems.first.map { ": \($0.path) \($0.reason)" } ?? ""
        return "none of the \(sequence.frames.count) frames of \(sequence.id) can be read\(first)"
    }
    public var errorDescription: String? { description }
}
