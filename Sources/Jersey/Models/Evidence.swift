import Foundation
import Torch

/// The combined evidence of several looks at one player by a model that does not judge its frames:
/// the sum of their log-probabilities. Its size does not depend on the number of looks.
///
/// It sums frames, windows of a long track, and sequences of one track. Models that judge their
/// frames have `Looks`.
struct Evidence: Sendable, Equatable, RunningSum {
    /// The share of a window's evidence that repeats that of the track's other windows, 0...1.
    /// Windows show the same player, shirt and light, so if one misleads, the others probably do as
    /// well. With this value tracks are right about as often as their confidence says
    /// (docs/measurements/long-tracks.md).
    static let windowCorrelation = 0.5

    /// Log-probabilities, not normalised: (11) and (10).
    private var tens: [Double]
    private var ones: [Double]
    /// The same for `JerseyNumber.all` (110); nil if the model has no head for whole numbers.
    private(set) var full: [Double]?
    /// Sum of the looks' information in nats, and the sum of its squares.
    private var information: Double
    private var squares: Double

    /// One look.
    ///
    /// - Parameter full: log-probabilities of `JerseyNumber.all` (110).
    init(_ look: DigitDistribution, full: [Double]? = nil) {
        tens = look.tens
        ones = look.ones
        self.full = full
        information = look.information
        squares = information * information
    }

    mutating func add(_ other: Evidence) {
        for index in tens.indices { tens[index] += other.tens[index] }
        for index in ones.indices { ones[index] += other.ones[index] }
        full = full.flatMap { full in other.full.map { zip(full, $0).map(+) } }
        information += other.information
        squares += other.squares
    }

    /// The combined distribution of the looks.
    ///
    /// n looks count as n / (1 + (n − 1) · correlation) independent ones, which stays below 1 /
    /// correlation (the design effect of cluster samples; Kish 1965). Looks without information do
    /// not count: n is (Σ I)² / Σ I², where I is the information of a look.
    ///
    /// - Parameter correlation: 0...1. With 0 the result is the plain sum.
    func distribution(correlation: Double = windowCorrelation) -> DigitDistribution {
        let count = squares > 0 ? information * information / squares : 1
        let factor = 1 / (1 + (count - 1) * correlation)
        return DigitDistribution(tens: tens.map { $0 * factor }, ones: ones.map { $0 * factor })
    }
}

extension Evidence {
    /// The evidence of each of R frames.
    static func each(_ logits: FrameLogits) -> [Evidence] {
        let values = Tensor.concatenated(logits.all, over: 1).array(of: Double.self)
        let width = logits.all.reduce(0) { $0 + $1.shape[1] }
        return stride(from: 0, to: values.count, by: width).map { start in
            var row = values[start..<start + width]
            func next(_ tensor: Tensor) -> ArraySlice<Double> {
                defer { row = row.dropFirst(tensor.shape[1]) }
                return row.prefix(tensor.shape[1])
            }
            let digits = DigitDistribution(tens: Array(next(logits.tens)), ones: Array(next(logits.ones)))
            return Evidence(digits, full: logits.full.map { DigitDistribution.logSoftmax(next($0)) })
        }
    }
}

extension DigitDistribution {
    /// The plain sum of the log-probabilities of several looks, normalised.
    package init(summing looks: [DigitDistribution]) {
        self = Evidence(looks.map { Evidence($0) }).distribution(correlation: 0)
    }

    /// The combined distribution of the windows or sequences of one track, by a model that does not
    /// judge its frames.
    package init(windows: [DigitDistribution], correlation: Double = Evidence.windowCorrelation) {
        self = Evidence(windows.map { Evidence($0) }).distribution(correlation: correlation)
    }
}
