import Foundation

/// How reliable a model's confidences are, and when it abstains. The values are measured on
/// sequences that the model was not trained on, and kept in its file.
package struct ModelCalibration: Codable, Sendable, Equatable {
    /// How looks at one player become a confidence, in a model that judges its frames. Looks count
    /// as (1 + variety · V) · R^readability of one that is clear, where V is how much they differ,
    /// and R is the probability that they are read correctly.
    package struct LookWeights: Codable, Sendable, Equatable {
        /// What looks that differ add to one, at least 0.
        package var variety: Double
        /// How much less looks say that are hard to read, at least 0.
        package var readability: Double
    }

    /// What a threshold achieved.
    package struct Cut: Codable, Sendable, Equatable {
        /// The share of answers that should be right, 0...1.
        package var target: Double
        /// The least confidence of an answer, 0...1.
        package var threshold: Double
        /// The share of answers that are right, 0...1. Any answer is wrong if no number is visible.
        package var precision: Double
        /// The share of sequences with a number that get an answer, 0...1.
        package var coverage: Double
    }

    /// The divisor of log-probabilities.
    package var temperature: Double
    /// The least confidence of an answer, 0...1. Below it a sequence is unreadable.
    package var threshold: Double
    /// The share of answers that are right, 0...1. Any answer is wrong if no number is visible.
    package var precision: Double
    /// The share of sequences with a number that get an answer, 0...1.
    package var coverage: Double
    /// How many sequences were measured.
    package var sequences: Int
    /// Nil if the model does not judge its frames.
    package var looks: LookWeights?
    /// Other thresholds, strictest last; nil in files of older versions.
    package var cuts: [Cut]?

    /// The probabilities of the numbers, from what a model reads.
    ///
    /// - Parameters:
    ///   - digits: before calibration.
    ///   - looks: what `digits` is made of, if the model judges its frames.
    func calibrated(_ digits: DigitDistribution, _ looks: Looks?) -> DigitDistribution {
        guard let looks, let weights = self.looks else { return digits.temperatureScaled(temperature) }
        let count = weights.count(variety: looks.variety, readability: looks.readability)
        return looks.mean.scaled(by: count / temperature)
    }

    /// The same calibration with another threshold: the lowest at which this share of answers was
    /// right when it was measured.
    ///
    /// - Parameter target: 0...1. One between two shares of the file counts as the larger.
    /// - Throws: `UsageError` if no threshold reached it, or the file has only one threshold.
    package func aiming(at target: Double) throws -> ModelCalibration {
        guard let cuts else {
            throw UsageError(
                "this model's calibration has one threshold only; calibrate it again to choose others",
                remedy: .calibration)
        }
        guard let cut = cuts.first(where: { $0.target >= target - 1e-9 }) else {
            throw UsageError(
                "this model's answers were not right in a share of \(target) when it was calibrated, at any threshold; ask for at most \(cuts.last?.target ?? 0)"
            )
        }
        var calibration = self
        (calibration.threshold, calibration.precision, calibration.coverage) = (
            cut.threshold, cut.precision, cut.coverage
        )
        return calibration
    }

    /// Confidence from which on it is not worth while to read more of a long track, stricter than
    /// the threshold of an answer. Confidences of looks are bounded, so theirs is the one at which
    /// 99% of answers are right.
    var decisive: Double {
        guard looks != nil, let cut = cuts?.last(where: { $0.target <= 0.99 }) else { return 0.999 }
        return max(cut.threshold, threshold)
    }
}

extension ModelCalibration? {
    /// The same; without a calibration, what the model reads.
    func calibrated(_ digits: DigitDistribution, _ looks: Looks?) -> DigitDistribution {
        self?.calibrated(digits, looks) ?? digits
    }
}

extension ModelCalibration.LookWeights {
    /// How many clear looks some looks count as.
    ///
    /// - Parameters:
    ///   - variety: how much they differ, 0...1.
    ///   - readability: the probability that they are read correctly, 0...1.
    func count(variety: Double, readability: Double) -> Double {
        (1 + self.variety * variety) * pow(readability, self.readability)
    }
}
