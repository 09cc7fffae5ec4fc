/// When to stop reading the frames of a sequence (Zilberstein 1996: an anytime algorithm).
///
/// Each next frame lies far in time from those seen, because neighbours show the same. That order keeps more answers right
/// than the tallest or sharpest crops first (docs/measurements/early-exit.md). Measured on labelled sequences, and kept in the
/// model's file.
package struct EarlyExit: Codable, Sendable, Equatable {
    /// Confidence in the most probable number from which on no more frames are read, 0...1.
    package var confidence: Double
    /// Share of the frames that are read, 0...1.
    package var frames: Double
    /// Shares of the measured sequences that are read rightly with early exit and without, 0...1.
    package var accuracy: Double
    package var fullAccuracy: Double
    /// How many sequences were measured.
    package var sequences: Int

    /// `confidence`, where it is ever reached; nil where all frames are to be read.
    package var stops: Double? { confidence < 1 ? confidence : nil }

    /// Indices of `count` frames in visiting order: the first, the middle, the quarters, the eighths and so on (van der Corput
    /// 1935).
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

    /// After how many frames to ask whether they are enough: two, four, eight and so on. Asking more often reads fewer frames
    /// and takes as long or longer, because each pass through the network has a price of its own
    /// (docs/measurements/early-exit.md).
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
    /// What is known of a sequence after some of its frames.
    package typealias Stage = (frames: Int, digits: DigitDistribution)

    /// Accuracy that may be lost. To prove it takes a thousand sequences; with fewer, all frames are read.
    static let tolerance = 0.001

    /// - Parameters:
    ///   - traces: the stages of labelled sequences by a reader without calibration, the last with all frames.
    ///   - calibration: of the reader that will use it, which never stops at less confidence than an answer must have.
    /// - Returns: nil where there are no sequences with a number.
    package init?(_ traces: [(number: JerseyNumber?, stages: [Stage])], _ calibration: ModelCalibration) {
        let sequences = traces.compactMap { trace in
            trace.number.map { number in
                trace.stages.map { stage in
                    let digits = stage.digits.temperatureScaled(calibration.temperature)
                    return (frames: stage.frames, confidence: digits.confidence, isRight: digits.number == number)
                }
            }
        }.filter { !$0.isEmpty }
        guard !sequences.isEmpty else { return nil }
        func share(_ count: Int) -> Double { Double(count) / Double(sequences.count) }
        let full = share(sequences.count { $0[$0.count - 1].isRight })
        let total = sequences.reduce(0) { $0 + $1[$1.count - 1].frames }
        /// What would be if reading stopped at `confidence`.
        func outcome(_ confidence: Double) -> EarlyExit {
            let last = sequences.map { stages in
                stages.first { confidence < 1 && $0.confidence >= confidence } ?? stages[stages.count - 1]
            }
            return EarlyExit(
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
    /// When the model may stop reading.
    ///
    /// - Throws: `UsageError` where it reads all frames at once, or that was not measured.
    package func earlyExit() throws -> EarlyExit {
        guard !published else {
            throw UsageError(
                "a model that behaves as published has no early exit: it reads all frames at once", remedy: .earlyExit)
        }
        guard let anytime else {
            throw UsageError("this model is not calibrated for early exit; calibrate it first", remedy: .calibration)
        }
        return anytime
    }
}
