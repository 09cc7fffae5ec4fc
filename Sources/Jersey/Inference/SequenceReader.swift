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
        let wasTraining = model.store.isTraining
        model.store.isTraining = false
        defer { model.store.isTraining = wasTraining }
        let batches = BatchLoader(sequences.map { .init($0) }, batchSize: batchSize, loader: loader, workers: workers, pads: pads)
        while let batch = try batches.next() {
            for sequence in batch.unreadable {
                let problems = batch.problems.filter { sequence.frames.contains($0.path) }
                try body(.failure(UnreadableSequence(sequence: sequence, problems: problems)))
            }
            for reading in withoutGradients({ read(batch) }) {
                try body(.success(reading))
            }
        }
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

    private func read(_ batch: BatchLoader.Batch) -> [Reading] {
        guard !batch.sequences.isEmpty else { return [] }
        let frames = FramePreprocessor.normalized(batch.frames, on: model.device)
        let output = model(frames, lengths: batch.lengths, isPadded: batch.isPadded)
        func rows(_ logits: Tensor) -> [[Double]] {
            let values = logits.to(dtype: .float64).logSoftmax(over: 1).array(of: Double.self)
            let width = logits.shape[1]
            return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
        }
        let (tens, ones, full) = (rows(output.tens), rows(output.ones), output.full.map(rows))
        let attention = output.attention.map { ($0.array(of: Double.self), $0.shape[1]) }
        var start = 0
        return batch.sequences.indices.map { index in
            let length = batch.lengths[index]
            // A model of single frames has a row for every frame: they are looks at the same player.
            let range = model.spec.readsAnchorOnly ? start..<start + length : index..<index + 1
            start += length
            var belief = Belief(combining: range.map { Belief(tens: tens[$0], ones: ones[$0]) })
            if let calibration { belief = belief.cooled(to: calibration.temperature) }
            let sequence = batch.sequences[index]
            return Reading(
                sequence: sequence, tens: belief.tens, ones: belief.ones, full: full.map { Belief.combined(Array($0[range])) },
                used: batch.used[index], heights: batch.heights[index],
                attention: attention.map { Array($0.0[index * $0.1..<index * $0.1 + length]) },
                problems: batch.problems.filter { sequence.frames.contains($0.path) }, threshold: calibration?.threshold)
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
