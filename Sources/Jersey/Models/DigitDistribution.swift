import Foundation
import Torch

/// The probabilities of all numbers: log-probabilities of tens and ones, each normalised. The two
/// digits are independent.
public struct DigitDistribution: Sendable, Equatable {
    /// 11 natural log-probabilities, of 0...9 and blank.
    public let tens: [Double]
    /// 10 natural log-probabilities, of 0...9.
    public let ones: [Double]

    /// A distribution of given logits.
    ///
    /// - Parameters:
    ///   - tens: 11 logits, or log-probabilities that need not be normalised.
    ///   - ones: 10 of the same.
    public init(tens: [Double], ones: [Double]) {
        self.tens = Self.logSoftmax(tens[...])
        self.ones = Self.logSoftmax(ones[...])
    }

    /// - Parameters:
    ///   - tens: 11 probabilities, 0...1, as in files.
    ///   - ones: 10 of the same.
    package init(probabilities tens: [Double], _ ones: [Double]) {
        // A file's zero is a rounded value; as minus infinity it would outweigh all other evidence.
        func logs(_ values: [Double]) -> [Double] { values.map { log(max($0, 1e-300)) } }
        self.init(tens: logs(tens), ones: logs(ones))
    }

    /// The digits of each row.
    ///
    /// - Parameters:
    ///   - tens: logits (R, 11).
    ///   - ones: logits (R, 10).
    static func each(tens: Tensor, ones: Tensor) -> [DigitDistribution] {
        let width = tens.shape[1] + ones.shape[1]
        let values = Runtime.onCallingThread {
            Tensor.concatenated([tens, ones], over: 1).array(of: Double.self)
        }
        return stride(from: 0, to: values.count, by: width).map { start in
            let middle = start + tens.shape[1]
            return DigitDistribution(
                tens: Array(values[start..<middle]), ones: Array(values[middle..<start + width]))
        }
    }

    /// Logits, minus the logarithm of the sum of their exponentials.
    static func logSoftmax(_ logits: ArraySlice<Double>) -> [Double] {
        let top = logits.max() ?? 0
        let total = top + log(logits.reduce(0) { $0 + exp($1 - top) })
        return logits.map { $0 - total }
    }

    /// False where the model's output overflowed: every comparison with such values fails.
    var isFinite: Bool { tens.allSatisfy(\.isFinite) && ones.allSatisfy(\.isFinite) }

    /// The most probable number.
    public var number: JerseyNumber { JerseyNumber(tens: tens.indexOfMaximum, ones: ones.indexOfMaximum) }

    /// The probability of the most probable number, 0...1.
    public var confidence: Double { probability(of: number) }

    /// The probability of a number, 0...1.
    ///
    /// - Parameter number: any of the 110.
    public func probability(of number: JerseyNumber) -> Double { exp(logProbability(of: number)) }

    package func logProbability(of number: JerseyNumber) -> Double { tens[number.tens] + ones[number.ones] }

    /// The most probable numbers, most probable first.
    ///
    /// - Parameter count: how many, up to 110.
    public func top(_ count: Int) -> [JerseyNumber] {
        Array(JerseyNumber.all.sorted { (probability(of: $0), $1) > (probability(of: $1), $0) }.prefix(count))
    }

    /// Temperature scaling (Guo et al. 2017): log-probabilities divided by `temperature`, and
    /// normalised.
    func temperatureScaled(_ temperature: Double) -> DigitDistribution { scaled(by: 1 / temperature) }

    /// Log-probabilities times `factor`, and normalised.
    package func scaled(by factor: Double) -> DigitDistribution {
        DigitDistribution(tens: tens.map { $0 * factor }, ones: ones.map { $0 * factor })
    }

    /// The distance from the uniform distribution in nats: the sum of the Kullback-Leibler
    /// divergences of both digits, 0 to log 110.
    var information: Double {
        func divergence(_ logs: [Double]) -> Double {
            log(Double(logs.count)) + logs.reduce(0) { $0 + ($1 > -700 ? exp($1) * $1 : 0) }
        }
        return max(0, divergence(tens)) + max(0, divergence(ones))
    }

    /// The share of each look in the margin of this distribution's number over the next probable
    /// one. The shares sum to 1. A look that speaks against the number has no share; if all do, the
    /// shares are equal.
    func shares(of looks: [DigitDistribution]) -> [Double] {
        let best = top(2)
        let margins = looks.map { max(0, $0.logProbability(of: best[0]) - $0.logProbability(of: best[1])) }
        let total = margins.reduce(0, +)
        return margins.map { total > 0 ? $0 / total : 1 / Double(looks.count) }
    }
}

extension Array where Element: Comparable {
    /// The first index of the largest element; 0 for an empty array.
    var indexOfMaximum: Int { indices.max { self[$0] < self[$1] } ?? 0 }
}
