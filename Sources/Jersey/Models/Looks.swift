import Foundation
import Torch

/// What several looks at one player say: running sums, whose size does not depend on how many looks
/// there were, nor on their order. A look is a frame that a model has read and judged.
///
/// The looks of a sequence, of the windows of a long one, and of the sequences of a track add up
/// alike. `ModelCalibration` makes a confidence of them (docs/explanation/how-it-reads.md).
package struct Looks: Sendable, Equatable, RunningSum {
    /// Log-probabilities times weights: (11) and (10).
    private var tens: [Double]
    private var ones: [Double]
    /// The same for `JerseyNumber.all` (110); nil if the model has no head for whole numbers.
    private var full: [Double]?
    /// The directions of the features, times weights.
    private var direction: [Double]
    /// Probabilities of being read correctly, times weights.
    private var judged: Double
    /// The weights.
    private(set) var weight: Double

    /// One look. It weighs as much as the square of its readability, so that many in which nothing
    /// is seen do not hide the one in which something is.
    ///
    /// - Parameters:
    ///   - full: log-probabilities of `JerseyNumber.all` (110).
    ///   - readability: the probability of being read correctly, 0...1.
    ///   - features: what the model sees in the frame; looks are alike if theirs are.
    init(_ digits: DigitDistribution, full: [Double]? = nil, readability: Double, features: [Double] = []) {
        let weight = readability * readability
        let length = features.reduce(0) { $0 + $1 * $1 }.squareRoot()
        tens = digits.tens.map { $0 * weight }
        ones = digits.ones.map { $0 * weight }
        self.full = full?.map { $0 * weight }
        direction = features.map { length == 0 ? 0 : $0 / length * weight }
        judged = readability * weight
        self.weight = weight
    }

    package mutating func add(_ other: Looks) {
        for index in tens.indices { tens[index] += other.tens[index] }
        for index in ones.indices { ones[index] += other.ones[index] }
        full = full.flatMap { full in other.full.map { zip(full, $0).map(+) } }
        for index in direction.indices { direction[index] += other.direction[index] }
        judged += other.judged
        weight += other.weight
    }

    /// The mean of the looks: what one of them says.
    var mean: DigitDistribution { DigitDistribution(tens: tens.map(averaged), ones: ones.map(averaged)) }

    /// What they add to a larger sum.
    var sum: DigitDistribution { DigitDistribution(tens: tens, ones: ones) }

    /// The mean of `JerseyNumber.all`, normalised; nil without that head.
    var fullMean: [Double]? { full.map { DigitDistribution.logSoftmax($0.map(averaged)[...]) } }

    /// The probability that the looks are read correctly, 0...1.
    var readability: Double { averaged(judged) }

    /// How much the looks differ, 0...1: the variance of their directions. Looks at the same picture
    /// do not differ.
    var variety: Double {
        guard direction.contains(where: { $0 != 0 }) else { return 0 }
        let variance = 1 - direction.reduce(0) { $0 + averaged($1) * averaged($1) }
        // Not `max`, which would hide NaN.
        return variance < 0 ? 0 : variance
    }

    private func averaged(_ sum: Double) -> Double { sum / max(weight, 1e-300) }
}

extension Looks {
    /// The looks of R frames, one each.
    ///
    /// - Parameter rows: (R, C), those of `EvidenceHead.Frames`.
    /// - Parameter classes: how many of a row's values are logits of tens, ones and perhaps whole
    ///   numbers, in this order. Before them stands the logit of being read correctly, behind them
    ///   the features.
    static func each(_ rows: Tensor, classes: [Int]) -> [Looks] {
        let (values, width) = (rows.array(of: Double.self), rows.shape[1])
        return stride(from: 0, to: values.count, by: width).map { start in
            var rest = values[start..<start + width]
            func next(_ count: Int) -> ArraySlice<Double> {
                defer { rest = rest.dropFirst(count) }
                return rest.prefix(count)
            }
            let readability = next(1).first.map { 1 / (1 + exp(-$0)) } ?? 0
            let digits = DigitDistribution(tens: Array(next(classes[0])), ones: Array(next(classes[1])))
            let full = classes.dropFirst(2).first.map { DigitDistribution.logSoftmax(next($0)) }
            return Looks(digits, full: full, readability: readability, features: Array(rest))
        }
    }
}

/// A sum to which more of the same can be added, in any order.
package protocol RunningSum {
    mutating func add(_ other: Self)
}

extension RunningSum {
    /// - Parameter parts: at least one.
    init(_ parts: some Collection<Self>) {
        precondition(!parts.isEmpty, "there is nothing to sum")
        self = parts.dropFirst().reduce(into: parts[parts.startIndex]) { $0.add($1) }
    }
}

extension Optional where Wrapped: RunningSum {
    mutating func add(_ other: Wrapped) {
        if self == nil { self = other } else { self?.add(other) }
    }
}
