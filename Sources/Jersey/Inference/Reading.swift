import Foundation
import Torch

/// What a model saw in one sequence.
public struct Reading: Sendable {
    public let sequence: FrameSequence
    /// Log-probabilities: 0...9 and blank.
    public let tens: [Double]
    /// Log-probabilities: 0...9.
    public let ones: [Double]
    /// Log-probabilities of `JerseyNumber.all`; nil where the model has no head for whole numbers. `number` does not depend on it.
    public let full: [Double]?
    /// Indices of the frames read.
    public let used: [Int]
    /// Heights of the frames read, pixels, as they are on disk: how much there was to see.
    public let heights: [Int]
    /// Weight of each frame read, sum 1; nil where the model has none.
    public let attention: [Double]?
    public let problems: [FrameProblem]
    /// Least confidence of an answer, 0...1; nil where every sequence is answered.
    public let threshold: Double?
    /// What the model's encoder computed in.
    public let precision: Precision

    public init(
        sequence: FrameSequence, tens: [Double], ones: [Double], full: [Double]? = nil, used: [Int], heights: [Int] = [],
        attention: [Double]?, problems: [FrameProblem], threshold: Double? = nil, precision: Precision = .float32
    ) {
        self.sequence = sequence
        self.tens = tens
        self.ones = ones
        self.full = full
        self.used = used
        self.heights = heights
        self.attention = attention
        self.problems = problems
        self.threshold = threshold
        self.precision = precision
    }

    /// Whether all of the model's output is finite; one that overflowed says nothing.
    var isNumber: Bool {
        Belief(self).isNumber && (attention ?? []).allSatisfy(\.isFinite) && (full ?? []).allSatisfy(\.isFinite)
    }

    /// The most probable classes, as the study takes them: each head by itself.
    public var number: JerseyNumber { JerseyNumber(tens: tens.indexOfMaximum, ones: ones.indexOfMaximum) }

    /// The number that the head for whole numbers takes for the most probable.
    public var fullNumber: JerseyNumber? { full.map { JerseyNumber.all[$0.indexOfMaximum] } }
}

extension Array where Element: Comparable {
    /// The first index of the largest element; 0 for an empty array.
    var indexOfMaximum: Int { indices.max { self[$0] < self[$1] } ?? 0 }
}

/// Probabilities of numbers, from the log-probabilities of their digits.
public struct Belief: Sendable, Equatable {
    /// Log-probabilities, each normalised.
    public let tens: [Double]
    public let ones: [Double]

    public init(tens: [Double], ones: [Double]) {
        self.tens = tens
        self.ones = ones
    }

    public init(_ reading: Reading) {
        self.init(tens: reading.tens, ones: reading.ones)
    }

    /// Whether it can be believed at all: what is not finite is no number, and every comparison with it fails.
    var isNumber: Bool { tens.allSatisfy(\.isFinite) && ones.allSatisfy(\.isFinite) }

    /// From probabilities, 0...1. One that underflowed to zero must not become minus infinity against all other evidence.
    public init(probabilities tens: [Double], _ ones: [Double]) {
        func logs(_ values: [Double]) -> [Double] { values.map { log(max($0, 1e-300)) } }
        self.init(tens: logs(tens), ones: logs(ones))
    }

    /// Several looks at the same player: evidence is summed in log space, and normalised.
    public init(combining beliefs: [Belief]) {
        self.init(tens: Self.combined(beliefs.map(\.tens)), ones: Self.combined(beliefs.map(\.ones)))
    }

    /// Rows of log-probabilities, summed and normalised.
    static func combined(_ rows: [[Double]]) -> [Double] {
        guard let width = rows.first?.count else { return [] }
        let sums = (0..<width).map { column in rows.reduce(0) { $0 + $1[column] } }
        let top = sums.max() ?? 0
        let total = top + log(sums.reduce(0) { $0 + exp($1 - top) })
        return sums.map { $0 - total }
    }

    public var number: JerseyNumber { JerseyNumber(tens: tens.indexOfMaximum, ones: ones.indexOfMaximum) }

    /// 0...1, the digits taken as independent, as the heads are.
    public func probability(of number: JerseyNumber) -> Double { exp(logProbability(of: number)) }

    func logProbability(of number: JerseyNumber) -> Double { tens[number.tens] + ones[number.ones] }

    /// The `count` most probable numbers, most probable first.
    public func top(_ count: Int) -> [JerseyNumber] {
        Array(JerseyNumber.all.sorted { (probability(of: $0), $1) > (probability(of: $1), $0) }.prefix(count))
    }
}
