import Foundation

/// What a model saw in one sequence.
package struct Reading: Sendable {
    package let sequence: FrameSequence
    /// Calibrated, where the reader is.
    package let digits: DigitDistribution
    /// Log-probabilities of `JerseyNumber.all` (110); nil where the model has no head for whole numbers. `number` does not
    /// depend on it.
    package let full: [Double]?
    /// Indices of the frames read.
    package let used: [Int]
    /// Heights of the frames read, pixels, as they are on disk: how much there was to see.
    package let heights: [Int]
    /// Weight of each frame read, sum 1; nil where the model has none.
    package let attention: [Double]?
    package let problems: [FrameProblem]
    /// Least confidence of an answer, 0...1; nil where every sequence is answered.
    package let threshold: Double?
    /// What the model's encoder computed in.
    package let precision: Precision

    package init(
        sequence: FrameSequence, digits: DigitDistribution, full: [Double]? = nil, used: [Int], heights: [Int] = [],
        attention: [Double]?, problems: [FrameProblem], threshold: Double? = nil, precision: Precision = .float32
    ) {
        self.sequence = sequence
        self.digits = digits
        self.full = full
        self.used = used
        self.heights = heights
        self.attention = attention
        self.problems = problems
        self.threshold = threshold
        self.precision = precision
    }

    /// Whether all of the model's output is finite; one that overflowed says nothing.
    var isFinite: Bool {
        digits.isFinite && (attention ?? []).allSatisfy(\.isFinite) && (full ?? []).allSatisfy(\.isFinite)
    }

    /// The most probable classes, as the study takes them: each head by itself.
    package var number: JerseyNumber { digits.number }

    /// The number that the head for whole numbers takes for the most probable.
    package var fullNumber: JerseyNumber? { full.map { JerseyNumber.all[$0.indexOfMaximum] } }

    /// The largest difference of a digit's probability, 0...1.
    package func largestDifference(from other: Reading) -> Double {
        zip(digits.tens + digits.ones, other.digits.tens + other.digits.ones).map { abs(exp($0) - exp($1)) }.max() ?? 0
    }
}
