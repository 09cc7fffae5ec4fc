import Foundation
import Torch

/// Runs a model over sequences, batch by batch: the engine of `Recognizer`.
package struct SequenceReader: Sendable {
    package let model: CompiledModel
    package let loader: SequenceLoader
    package let batchSize: Int
    package let workers: Int
    /// Pads as the study does. Results do not depend on it, except for the study's top-k attention.
    package let pads: Bool
    /// Nil leaves the model's confidences uncalibrated.
    package let calibration: ModelCalibration?
    /// Nil reads all frames of a sequence.
    package let earlyExit: EarlyExit?
    /// Stops reading a long track's windows once the answer is certain enough (`WindowReader`).
    package let skims: Bool
    /// Whether readings have `parts`.
    var readsParts = false

    /// - Parameters:
    ///   - batchSize: the number of sequences that are read at once.
    ///   - workers: the number of threads that decode frames.
    ///   - pads: nil pads if the model behaves as published.
    package init(
        model: CompiledModel, loader: SequenceLoader, batchSize: Int = 16, workers: Int = 2,
        pads: Bool? = nil,
        calibration: ModelCalibration? = nil, earlyExit: EarlyExit? = nil, skims: Bool = false
    ) {
        self.model = model
        self.loader = loader
        self.batchSize = batchSize
        self.workers = workers
        self.pads = pads ?? (model.published && model.spec.takesPadding)
        self.calibration = calibration
        self.earlyExit = earlyExit
        self.skims = skims
    }

    /// The same reader, with the model's passes observed by `pass`.
    package func watched(by pass: Pass) -> SequenceReader {
        var watched = SequenceReader(
            model: model.watched(by: pass), loader: loader, batchSize: batchSize, workers: workers,
            pads: pads,
            calibration: calibration, earlyExit: earlyExit, skims: skims)
        watched.readsParts = readsParts
        return watched
    }

    // MARK: Sequences

    /// Reads all sequences in order, and passes on each result as soon as it is there.
    ///
    /// - Parameter body: gets a reading, or a sequence without a readable frame and the reasons.
    /// - Throws: what a strict loader throws.
    package func read(
        _ sequences: [FrameSequence], _ body: (Result<Reading, UnreadableSequence>) throws -> Void
    ) throws {
        try read(sequences, batch: { readings(of: $0, until: earlyExit?.stops) }, body)
    }

    /// - Returns: all readings, in order, and the sequences without a readable frame.
    /// - Parameter progress: called after each sequence; what it throws ends the reading.
    /// - Throws: what a strict loader throws.
    package func readAll(
        _ sequences: [FrameSequence], progress: () throws -> Void = {}
    ) throws -> ([Reading], [UnreadableSequence]) {
        try readAll(sequences, batch: { self.readings(of: $0, until: earlyExit?.stops) }, progress: progress)
    }

    /// Reads all sequences in full, and records the distribution after each stage. There are no
    /// stages if batches are padded, because these are read at once.
    ///
    /// - Parameter progress: called after each sequence.
    /// - Throws: what a strict loader throws.
    package func readInStages(
        _ sequences: [FrameSequence], progress: () throws -> Void = {}
    ) throws -> (readings: [Reading], traces: [[EarlyExit.Stage]], unreadable: [UnreadableSequence]) {
        var traces: [[EarlyExit.Stage]] = []
        let inStages = { (batch: BatchLoader.Batch) -> [Reading] in
            var stages: [[EarlyExit.Stage]] = batch.lengths.map { _ in [] }
            let readings = self.readings(
                of: batch,
                stops: { index, output, frames in
                    stages[index].append((frames, output.digits, output.sum))
                    return false
                })
            // Readings that are not finite become failures, so they have no traces.
            traces += zip(readings, stages).filter { $0.0.isFinite }.map(\.1)
            return readings
        }
        let (readings, unreadable) = try readAll(sequences, batch: inStages, progress: progress)
        return (readings, traces, unreadable)
    }

    private func readAll(
        _ sequences: [FrameSequence], batch readings: (BatchLoader.Batch) -> [Reading],
        progress: () throws -> Void
    ) throws -> ([Reading], [UnreadableSequence]) {
        var read: [Reading] = []
        var unreadable: [UnreadableSequence] = []
        try self.read(sequences, batch: readings) { result in
            switch result {
            case .success(let reading): read.append(reading)
            case .failure(let sequence): unreadable.append(sequence)
            }
            try progress()
        }
        return (read, unreadable)
    }

    private func read(
        _ sequences: [FrameSequence], batch readings: (BatchLoader.Batch) -> [Reading],
        _ body: (Result<Reading, UnreadableSequence>) throws -> Void
    ) throws {
        let batches = batchLoader(sequences)
        while let batch = try batches.next() {
            for result in results(of: batch, withoutGradients { readings(batch) }) { try body(result) }
        }
    }

    // MARK: Batches

    /// Reads one batch of sequences that this reader's loader has loaded: a result for each, in
    /// order.
    package func read(
        _ loaded: [(sequence: FrameSequence, frames: LoadedSequence)]
    ) -> [Result<Reading, UnreadableSequence>] {
        let batch = BatchLoader.Batch(loaded, size: loader.preprocessor, pads: pads)
        return results(of: batch, withoutGradients { readings(of: batch, until: earlyExit?.stops) })
    }

    /// The frames of all sequences in memory, for repeated reading.
    ///
    /// - Throws: what a strict loader throws.
    package func batches(of sequences: [FrameSequence]) throws -> [BatchLoader.Batch] {
        let loader = batchLoader(sequences)
        var batches: [BatchLoader.Batch] = []
        while let batch = try loader.next() { batches.append(batch) }
        return batches
    }

    private func batchLoader(_ sequences: [FrameSequence]) -> BatchLoader {
        BatchLoader(
            sequences.map { .init($0) }, batchSize: batchSize, loader: loader, workers: workers, pads: pads)
    }

    private func results(of batch: BatchLoader.Batch, _ readings: [Reading]) -> [Result<
        Reading, UnreadableSequence
    >] {
        var (readings, unreadable) = (readings[...], batch.unreadable[...])
        return batch.isReadable.map { isReadable in
            guard isReadable else { return .failure(unreadable.removeFirst()) }
            let reading = readings.removeFirst()
            return reading.isFinite ? .success(reading) : .failure(UnreadableSequence(brokenOutput: reading))
        }
    }

    /// - Parameter confidence: stops reading a sequence at this confidence; nil reads all frames.
    package func readings(of batch: BatchLoader.Batch, until confidence: Double?) -> [Reading] {
        readings(
            of: batch,
            stops: confidence.map { confidence in
                { _, output, _ in calibrated(output).confidence >= confidence }
            })
    }

    /// Gets the index of a sequence in its batch, the output so far, and the number of frames behind
    /// it.
    private typealias IsEnough = (Int, SequenceOutput, Int) -> Bool

    /// Reads the frames of all sequences stage by stage, each sequence until `isEnough` returns
    /// true.
    ///
    /// - Parameter isEnough: nil reads all frames in one stage, which padded batches always do.
    private func readings(of batch: BatchLoader.Batch, stops isEnough: IsEnough?) -> [Reading] {
        // A GPU may have recorded whole passes, which are faster, but have no parts.
        guard !batch.isPadded, isEnough != nil || readsParts || model.device == .cpu else {
            return readingsInOnePass(of: batch)
        }
        return readings(of: batch, stops: isEnough, by: model.head)
    }

    private func readingsInOnePass(of batch: BatchLoader.Batch) -> [Reading] {
        guard !batch.sequences.isEmpty else { return [] }
        let frames = FramePreprocessor.normalized(batch.frames, on: model.device)
        let output = model(frames, lengths: batch.lengths, isPadded: batch.isPadded)
        let outputs = model.sequenceOutputs(output, lengths: batch.lengths)
        return zip(batch.sequences.indices, outputs).map { index, output in
            reading(of: index, in: batch, frames: 0..<batch.lengths[index], output)
        }
    }

    private func readings<Head: ModelHead>(
        of batch: BatchLoader.Batch, stops isEnough: IsEnough?, by head: Head
    ) -> [Reading] {
        let starts = batch.lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let orders = batch.lengths.map { isEnough == nil ? Array(0..<$0) : EarlyExit.order($0) }
        let stages = batch.lengths.map { isEnough == nil ? [$0] : EarlyExit.stages($0) }
        // The frames seen of each sequence, in time order.
        var seen: [[(frame: Int, output: Head.Frame)]] = batch.lengths.map { _ in [] }
        var readings: [Reading?] = batch.lengths.map { _ in nil }
        var open = Array(batch.lengths.indices)
        var stage = 0
        while !open.isEmpty {
            let next = open.flatMap { index in
                orders[index][seen[index].count..<stages[index][stage]].map { (index: index, frame: $0) }
            }
            let rows = next.map { Int64(starts[$0.index] + $0.frame) }
            let pixels = isEnough == nil ? batch.frames : batch.frames.indexSelected(0, at: Tensor(rows))
            let outputs = model.eachEncoded(FramePreprocessor.normalized(pixels, on: model.device), by: head)
            for (place, output) in zip(next, outputs) { seen[place.index].append((place.frame, output)) }
            for index in open { seen[index].sort { $0.frame < $1.frame } }
            let sequences = model.sequenceOutputs(of: open.map { seen[$0].map(\.output) }, by: head)
            for (index, output) in zip(open, sequences) {
                let count = seen[index].count
                let isDone = isEnough?(index, output, count) ?? true
                guard isDone || count == batch.lengths[index] else { continue }
                readings[index] = reading(
                    of: index, in: batch, frames: seen[index].map(\.frame), output)
                if readsParts { readings[index]?.parts = parts(of: seen[index].map(\.output), by: head) }
            }
            open.removeAll { readings[$0] != nil }
            stage += 1
        }
        return readings.compactMap(\.self)
    }

    /// What parts of a sequence say by themselves.
    private func parts<Head: ModelHead>(of frames: [Head.Frame], by head: Head) -> [Prediction.Part] {
        let starts = stride(from: 0, to: frames.count, by: Prediction.partLength)
        let parts = starts.map { Array(frames[$0..<min($0 + Prediction.partLength, frames.count)]) }
        return model.sequenceOutputs(of: parts, by: head).map { output in
            let digits = calibrated(output)
            return Prediction.Part(digits: digits, evidence: TrackEvidence(digits, output.sum))
        }
    }

    // MARK: From the model's output to a reading

    /// Applies the calibration, if there is one.
    func calibrated(_ output: SequenceOutput) -> DigitDistribution {
        calibration.calibrated(output.digits, output.sum)
    }

    /// - Parameters:
    ///   - frames: the indices, among the sequence's frames in the batch, of those that the output
    ///     is based on.
    private func reading(
        of index: Int, in batch: BatchLoader.Batch, frames: some Sequence<Int>, _ output: SequenceOutput
    ) -> Reading {
        Reading(
            sequence: batch.sequences[index], digits: calibrated(output), looks: output.looks,
            full: output.full,
            used: frames.map { batch.used[index][$0] }, heights: frames.map { batch.heights[index][$0] },
            boxes: frames.map { batch.boxes[index][$0] },
            attention: output.weights, problems: batch.leftOut[index], calibration: calibration,
            precision: model.precision)
    }
}
