import Torch

/// Reading that looks at no more frames of a sequence than it takes to be sure (Zilberstein 1996: an anytime algorithm).
///
/// Each next frame lies far in time from those seen, as neighbours show the same: that order keeps more answers right than tallest or
/// sharpest crops first (docs/results.md). Measured on labelled sequences, and kept in the model's file.
public struct AnytimeReading: Codable, Sendable, Equatable {
    /// Of the most probable number, 0...1: from there on no more frames are read.
    public var confidence: Double
    /// Of the frames that would be read otherwise, the share that is, 0...1.
    public var frames: Double
    /// Numbers read rightly with it and without, shares of the sequences measured.
    public var accuracy: Double
    public var fullAccuracy: Double
    /// How many sequences were measured.
    public var sequences: Int

    /// `confidence`, where it is ever reached; nil where all frames are to be read.
    public var stops: Double? { confidence < 1 ? confidence : nil }

    /// Of `count` frames in time order the indices in order of use: the first, the middle, the quarters, the eighths and so on (van der
    /// Corput 1935).
    static func order(_ count: Int) -> [Int] {
        let bits = max(count - 1, 0).bitWidth - max(count - 1, 0).leadingZeroBitCount
        var order: [Int] = []
        for step in 0..<1 << bits {
            // The step's bits in reverse, as a share of one.
            let reversed = (0..<bits).reduce(0) { $0 << 1 | step >> $1 & 1 }
            let place = ((2 * reversed + 1) * count) >> (bits + 1)
            if !order.contains(place) { order.append(place) }
        }
        return order
    }

    /// After how many frames it is asked whether they are enough: two, four, eight and so on. Asking oftener reads fewer, and takes as
    /// long or longer, as each pass through the network has a price of its own (docs/results.md).
    static func stages(_ count: Int) -> [Int] {
        var stages: [Int] = []
        var next = 2
        while next < count {
            stages.append(next)
            next *= 2
        }
        return stages + [count]
    }
}

extension AnytimeReading {
    /// What is believed of a sequence after some of its frames.
    public struct Stage: Sendable {
        public let frames: Int
        public let belief: Belief
    }

    /// Accuracy that may be lost. To prove it takes a thousand sequences; with fewer, all frames are read.
    public static let tolerance = 0.001

    /// - Parameters:
    ///   - traces: of labelled sequences, the stages of a reader without calibration, the last with all frames.
    ///   - calibration: of the reader that will use it; it is never content with less confidence than an answer must have.
    /// - Returns: nil where there are no sequences with a number.
    public init?(_ traces: [(number: JerseyNumber?, stages: [Stage])], _ calibration: ModelCalibration) {
        let sequences = traces.compactMap { trace in
            trace.number.map { number in
                trace.stages.map { stage in
                    let belief = stage.belief.cooled(to: calibration.temperature)
                    let answer = belief.number
                    return (frames: stage.frames, confidence: belief.probability(of: answer), isRight: answer == number)
                }
            }
        }.filter { !$0.isEmpty }
        guard !sequences.isEmpty else { return nil }
        func share(_ count: Int) -> Double { Double(count) / Double(sequences.count) }
        let full = share(sequences.count { $0[$0.count - 1].isRight })
        let total = sequences.reduce(0) { $0 + $1[$1.count - 1].frames }
        /// What would be if reading stopped at `confidence`.
        func outcome(_ confidence: Double) -> AnytimeReading {
            let last = sequences.map { stages in
                stages.first { confidence < 1 && $0.confidence >= confidence } ?? stages[stages.count - 1]
            }
            return AnytimeReading(
                confidence: confidence, frames: Double(last.reduce(0) { $0 + $1.frames }) / Double(total),
                accuracy: share(last.count(where: \.isRight)), fullAccuracy: full, sequences: sequences.count)
        }
        // From the strictest down, as long as nothing is lost: a lower one that is as good again is so by chance.
        var best = outcome(1)
        for confidence in (1...99).reversed().map({ Double($0) / 100 }) where confidence >= calibration.threshold {
            let next = outcome(confidence)
            // One more lost than were seen has to be within bounds, too: few sequences prove nothing.
            guard full - next.accuracy + share(1) <= Self.tolerance else { break }
            best = next
        }
        self = best
    }
}

extension Checkpoint.Card {
    /// When the model may stop looking.
    ///
    /// - Throws: `UsageError` where it reads all frames at once, or that was not measured.
    public func anytimeReading() throws -> AnytimeReading {
        guard !published else {
            throw UsageError("--anytime is not for models that behave as published: they read all frames at once")
        }
        guard let anytime else {
            throw UsageError("it was not measured when this model is sure enough for --anytime; `jersey calibrate` does")
        }
        return anytime
    }
}

extension SequenceReader {
    /// Reads all sequences in full, and tells what is believed on the way; nothing of that where batches are padded, which are read at
    /// once.
    ///
    /// - Parameter progress: called after each sequence.
    /// - Throws: what a strict loader throws.
    public func readInStages(
        _ sequences: [FrameSequence], progress: () throws -> Void = {}
    ) throws -> (readings: [Reading], traces: [[AnytimeReading.Stage]], unreadable: [UnreadableSequence]) {
        var traces: [[AnytimeReading.Stage]] = []
        let inStages = { (batch: BatchLoader.Batch) -> [Reading] in
            var stages: [[AnytimeReading.Stage]] = batch.lengths.map { _ in [] }
            let readings =
                batch.isPadded
                ? read(batch)
                : read(batch) { index, belief, frames in
                    stages[index].append(.init(frames: frames, belief: belief))
                    return false
                }
            // As many as there will be readings.
            traces += zip(readings, stages).filter { $0.0.isNumber }.map(\.1)
            return readings
        }
        let (readings, unreadable) = try readAll(sequences, batch: inStages, progress: progress)
        return (readings, traces, unreadable)
    }

    /// - Parameter confidence: from which on no more frames of a sequence are read; nil looks at all, at once, as in padded batches.
    package func read(_ batch: BatchLoader.Batch, until confidence: Double?) -> [Reading] {
        guard let confidence, !batch.isPadded else { return read(batch) }
        return read(batch) { _, belief, _ in belief.probability(of: belief.number) >= confidence }
    }

    /// Reads the frames of all sequences stage by stage, each sequence until its belief is enough.
    ///
    /// - Parameter isEnough: gets the place of a sequence in the batch, what is believed of it (calibrated, where the reader is), and
    ///   the number of frames that it rests on.
    private func read(_ batch: BatchLoader.Batch, until isEnough: (Int, Belief, Int) -> Bool) -> [Reading] {
        precondition(!batch.isPadded, "frames of padded batches are read at once")
        let starts = batch.lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let orders = batch.lengths.map(AnytimeReading.order)
        let stages = batch.lengths.map(AnytimeReading.stages)
        // Of each sequence the frames seen, in time order, and the rows where they are kept.
        var seen: [[(frame: Int, row: Int)]] = batch.lengths.map { _ in [] }
        var kept: SeenFrames?
        var rows = 0
        var readings: [Reading?] = batch.lengths.map { _ in nil }
        var open = Array(batch.lengths.indices)
        var stage = 0
        while !open.isEmpty {
            var fresh: [Int64] = []
            for index in open {
                for frame in orders[index][seen[index].count..<stages[index][stage]] {
                    seen[index].append((frame, rows + fresh.count))
                    fresh.append(Int64(starts[index] + frame))
                }
                seen[index].sort { $0.frame < $1.frame }
            }
            rows += fresh.count
            let latest = SeenFrames(batch.frames.gathered(0, at: Tensor(fresh)), by: model)
            let all = kept?.adding(latest) ?? latest
            kept = all
            for (index, opinion) in zip(open, opinions(of: open.map { seen[$0].map(\.row) }, in: all)) {
                let count = seen[index].count
                guard isEnough(index, judged(opinion.belief), count) || count == batch.lengths[index] else { continue }
                readings[index] = reading(of: index, in: batch, frames: seen[index].map(\.frame), opinion)
            }
            open.removeAll { readings[$0] != nil }
            stage += 1
        }
        return readings.compactMap { $0 }
    }
}
