import Foundation

/// What a model read in one sequence.
package struct Reading: Sendable {
    package let sequence: FrameSequence
    /// Calibrated if the reader is.
    package let digits: DigitDistribution
    /// What each frame read says, before calibration; empty if the model does not judge frames.
    package let looks: [Looks]
    /// Log-probabilities of `JerseyNumber.all` (110); nil if the model has no head for whole
    /// numbers. `number` does not depend on it.
    package let full: [Double]?
    /// Indices of the frames read.
    package let used: [Int]
    /// The heights of the frames read, in pixels before they were fitted: a measure of how much
    /// there was to see.
    package let heights: [Int]
    /// Where the number is in each frame read, in its pixels; nil where none was found or looked
    /// for.
    package let boxes: [NumberBox?]
    /// The weight of each frame read, with the sum 1; nil if the model has none.
    package let attention: [Double]?
    package let problems: [FrameProblem]
    /// What `digits` are calibrated by; nil if they are not, and every sequence is answered.
    package let calibration: ModelCalibration?
    /// The precision of the model's encoder.
    package let precision: Precision
    /// What each `Prediction.partLength` of the frames read say by themselves, calibrated as
    /// `digits` are. Empty unless the reader was asked for it.
    var parts: [Prediction.Part] = []

    package init(
        sequence: FrameSequence, digits: DigitDistribution, looks: [Looks] = [], full: [Double]? = nil,
        used: [Int],
        heights: [Int] = [], boxes: [NumberBox?] = [],
        attention: [Double]?, problems: [FrameProblem], calibration: ModelCalibration? = nil,
        precision: Precision = .float32
    ) {
        self.sequence = sequence
        self.digits = digits
        self.looks = looks
        self.full = full
        self.used = used
        self.heights = heights
        self.boxes = boxes
        self.attention = attention
        self.problems = problems
        self.calibration = calibration
        self.precision = precision
    }

    /// Whether all of the model's output is finite. Output that overflowed means nothing.
    var isFinite: Bool {
        digits.isFinite && (attention ?? []).allSatisfy(\.isFinite) && (full ?? []).allSatisfy(\.isFinite)
    }

    /// The digits of an uncalibrated reading, calibrated.
    func calibrated(by calibration: ModelCalibration) -> DigitDistribution {
        calibration.calibrated(digits, looks.isEmpty ? nil : Looks(looks))
    }

    /// The most probable class of each head, as in the study.
    package var number: JerseyNumber { digits.number }

    /// The most probable number of the head for whole numbers.
    package var fullNumber: JerseyNumber? { full.map { JerseyNumber.all[$0.indexOfMaximum] } }

    /// The largest difference in a digit's probability, 0...1.
    package func largestDifference(from other: Reading) -> Double {
        zip(digits.tens + digits.ones, other.digits.tens + other.digits.ones).map { abs(exp($0) - exp($1)) }
            .max() ?? 0
    }
}

extension TrackEvidence {
    init(_ reading: Reading) {
        self.init(reading.digits, reading.looks.isEmpty ? nil : Looks(reading.looks))
    }
}
