import Foundation
import Torch

/// Runs a model over sequences.
public struct SequenceReader {
    public let model: JerseyModel
    public let loader: SequenceLoader
    public var batchSize: Int
    public var workers: Int
    /// Pads as the study does; results do not depend on it but for its top-k attention.
    public var pads: Bool
    /// Makes confidences honest, and tells below which one not to answer; nil takes what the model says.
    public var calibration: ModelCalibration?

    public init(model: JerseyModel, loader: SequenceLoader, batchSize: Int = 16, workers: Int = 2) {
        self.model = model
        self.loader = loader
        self.batchSize = batchSize
        self.workers = workers
        pads = model.published
    }

    /// Reads all sequences, in order, and hands over each as it is done.
    ///
    /// - Parameter body: gets a reading, or a sequence without a readable frame and the reasons.
    /// - Throws: what a strict loader throws.
    public func read(
        _ sequences: [FrameSequence], _ body: (Result<Reading, UnreadableSequence>) throws -> Void
    ) throws {
        let batches = BatchLoader(sequences.map { .init($0) }, batchSize: batchSize, loader: loader, workers: workers, pads: pads)
        try model.store.evaluating {
            while let batch = try batches.next() {
                for sequence in batch.unreadable { try body(.failure(sequence)) }
                for reading in withoutGradients({ read(batch) }) {
                    try body(.success(reading))
                }
            }
        }
    }

    /// Reads one batch of what this reader's loader has loaded, all at once: a result for each, in order.
    package func read(
        _ loaded: [(sequence: FrameSequence, frames: LoadedSequence)]
    ) -> [Result<Reading, UnreadableSequence>] {
        let batch = BatchLoader.Batch(loaded, size: loader.preprocessor, pads: pads)
        var readings = model.store.evaluating { withoutGradients { read(batch) } }[...]
        var unreadable = batch.unreadable[...]
        return loaded.map { $0.frames.used.isEmpty ? .failure(unreadable.removeFirst()) : .success(readings.removeFirst()) }
    }

    /// All readings, in order, and the sequences without a readable frame.
    ///
    /// - Parameter progress: called after each sequence; what it throws ends the reading.
    public func readAll(
        _ sequences: [FrameSequence], progress: () throws -> Void = {}
    ) throws -> ([Reading], [UnreadableSequence]) {
        var readings: [Reading] = []
        var unreadable: [UnreadableSequence] = []
        try read(sequences) { result in
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
        let values = logits.to(dtype: .float64).logSoftmax(over: 1).array(of: Double.self)
        let width = logits.shape[1]
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }

    /// As far as the model's evidence is to be believed.
    func judged(_ belief: Belief) -> Belief {
        calibration.map { belief.cooled(to: $0.temperature) } ?? belief
    }

    private func read(_ batch: BatchLoader.Batch) -> [Reading] {
        guard !batch.sequences.isEmpty else { return [] }
        let frames = FramePreprocessor.normalized(batch.frames, on: model.device)
        let output = model(frames, lengths: batch.lengths, isPadded: batch.isPadded)
        let (tens, ones, full) = (Self.rows(output.tens), Self.rows(output.ones), output.full.map(Self.rows))
        // The equal weights of a mean are nothing that a model attends to.
        let attention = (model.spec.pooling.weighsFrames ? output.attention : nil).map {
            ($0.array(of: Double.self), $0.shape[1])
        }
        var start = 0
        return batch.sequences.indices.map { index in
            let length = batch.lengths[index]
            // A model of single frames has a row for every frame: they are looks at the same player.
            let range = model.spec.readsAnchorOnly ? start..<start + length : index..<index + 1
            start += length
            let looks = range.map { Belief(tens: tens[$0], ones: ones[$0]) }
            let belief = judged(Belief(windows: looks))
            let sequence = batch.sequences[index]
            return Reading(
                sequence: sequence, tens: belief.tens, ones: belief.ones, full: full.map { Belief.combined(Array($0[range])) },
                used: batch.used[index], heights: batch.heights[index],
                attention: attention.map { Array($0.0[index * $0.1..<index * $0.1 + length]) }
                    ?? (looks.count > 1 ? belief.shares(of: looks) : nil),
                problems: batch.leftOut[index], threshold: calibration?.threshold)
        }
    }
}

/// A sequence of which no frame could be read.
public struct UnreadableSequence: Error, Sendable {
    public let sequence: FrameSequence
    public let problems: [FrameProblem]
}

extension UnreadableSequence: CustomStringConvertible, LocalizedError {
    public var description: String {
        let first = problems.first.map { ": \($0.path) \($0.reason)" } ?? ""
        return "none of the \(sequence.frames.count) frames of \(sequence.id) can be read\(first)"
    }
    public var errorDescription: String? { description }
}
