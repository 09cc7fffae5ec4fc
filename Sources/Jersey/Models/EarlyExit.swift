/// When to stop reading the frames of a sequence (Zilberstein 1996: an anytime algorithm).
///
/// Each frame read is far in time from those before it, because neighbouring frames show the same.
/// That order keeps more answers right than reading the tallest or sharpest crops first
/// (docs/measurements/early-exit.md). The values are measured on labelled sequences and kept in the
/// model's file.
package struct EarlyExit: Codable, Sendable, Equatable {
    /// Reading stops once the most probable number has this confidence, 0...1.
    package var confidence: Double
    /// The share of the frames that are read, 0...1.
    package var frames: Double
    /// The shares of the measured sequences that are read correctly with early exit and without,
    /// 0...1.
    package var accuracy: Double
    package var fullAccuracy: Double
    /// How many sequences were measured.
    package var sequences: Int

    /// `confidence` if it can be reached; nil if all frames are read.
    package var stops: Double? { confidence < 1 ? confidence : nil }

    /// Indices of `count` frames in visiting order: the first, the middle, the quarters, the
    /// eighths and so on (van der Corput 1935).
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

    /// The numbers of frames after which to check whether they are enough: two, four, eight and so
    /// on. Checking more often reads fewer frames but is no faster, because each pass through the
    /// network has a fixed cost (docs/measurements/early-exit.md).
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

extension EarlyExit {
    /// What was read after some of a sequence's frames, before calibration.
    package typealias Stage = (frames: Int, digits: DigitDistribution, looks: Looks?)

    /// The accuracy that may be lost. Proving it takes a thousand sequences; with fewer, all frames
    /// are read.
    static let tolerance = 0.001

    /// - Parameters:
    ///   - traces: the stages of labelled sequences from an uncalibrated reader. The last stage has
    ///     all frames.
    ///   - calibration: of the reader that will use it. It never stops at a confidence below the
    ///     threshold of an answer.
    /// - Returns: nil if no sequence has a number.
    package init?(_ traces: [(number: JerseyNumber?, stages: [Stage])], _ calibration: ModelCalibration) {
        let sequences = traces.compactMap { trace in
            trace.number.map { number in
                trace.stages.map { stage in
                    let digits = calibration.calibrated(stage.digits, stage.looks)
                    return (
                        frames: stage.frames, confidence: digits.confidence, isRight: digits.number == number
                    )
                }
            }
        }.filter { !$0.isEmpty }
        guard !sequences.isEmpty else { return nil }
        func share(_ count: Int) -> Double { Double(count) / Double(sequences.count) }
        let full = share(sequences.count { $0[$0.count - 1].isRight })
        let total = sequences.reduce(0) { $0 + $1[$1.count - 1].frames }
        /// The result if reading stopped at `confidence`.
        func outcome(_ confidence: Double) -> EarlyExit {
            let last = sequences.map { stages in
                stages.first { confidence < 1 && $0.confidence >= confidence } ?? stages[stages.count - 1]
            }
            return EarlyExit(
                confidence: confidence, frames: Double(last.reduce(0) { $0 + $1.frames }) / Double(total),
                accuracy: share(last.count(where: \.isRight)), fullAccuracy: full, sequences: sequences.count)
        }
        // From the strictest down while no accuracy is lost. A lower confidence that passes after
        // one that failed passes by chance.
        var best = outcome(1)
        for confidence in (1...99).reversed().map({ Double($0) / 100 })
        where confidence >= calibration.threshold {
            let next = outcome(confidence)
            // Must hold even with one more error than was seen, because few sequences prove
            // nothing.
            guard full - next.accuracy + share(1) <= Self.tolerance else { break }
            best = next
        }
        self = best
    }
}

extension Checkpoint.Card {
    /// The model's early exit.
    ///
    /// - Throws: `UsageError` if the model reads all frames at once, or if early exit was not
    ///   measured.
    package func measuredEarlyExit() throws -> EarlyExit {
        guard !published else {
            throw UsageError(
                "a model that behaves as published has no early exit: it reads all frames at once",
                remedy: .earlyExit)
        }
        guard let earlyExit else {
            throw UsageError(
                "this model is not calibrated for early exit; calibrate it first", remedy: .calibration)
        }
        return earlyExit
    }
}
