import Foundation

/// How far a model's evidence is to be believed, and when it had better not answer. Measured on sequences that it has not learned from,
/// and kept in its file.
public struct ModelCalibration: Codable, Sendable, Equatable {
    /// Log-probabilities are divided by it: frames of one sequence resemble each other, so that their sum says too much.
    public var temperature: Double
    /// Least confidence of an answer, 0...1; below it a sequence counts as unreadable.
    public var threshold: Double
    /// Of the sequences measured that are answered, how many rightly, 0...1. An answer where no number is seen is a wrong one.
    public var precision: Double
    /// Of the sequences measured that show a number, how many are answered, 0...1.
    public var coverage: Double
    /// How many were measured.
    public var sequences: Int
}

extension ModelCalibration {
    /// - Parameters:
    ///   - readings: of labelled sequences, by a reader without calibration; number nil where none is seen.
    ///   - precision: to be reached, by a threshold that is as low as it can be.
    /// - Throws: `UsageError` when no sequence shows a number, or no threshold has that precision.
    public init(_ readings: [Reading], precision wanted: Double) throws {
        let labelled = readings.filter { $0.sequence.number != nil }
        guard !labelled.isEmpty else { throw UsageError("none of the \(readings.count) sequences shows a number") }
        func loss(_ temperature: Double) -> Double {
            labelled.reduce(0) { sum, reading in
                let (belief, number) = (Belief(reading).cooled(to: temperature), reading.sequence.number!)
                return sum - belief.tens[number.tens] - belief.ones[number.ones]
            }
        }
        // The loss has one minimum; a step is 2%.
        let temperature = (-60...240).map { pow(1.02, Double($0)) }.min { loss($0) < loss($1) }!
        self.temperature = temperature

        let answers = readings.map { reading in
            let belief = Belief(reading).cooled(to: temperature)
            let (confidence, truth) = (belief.probability(of: belief.number), reading.sequence.number)
            return (confidence: confidence, isRight: belief.number == truth, isNumber: truth != nil)
        }.sorted { $0.confidence > $1.confidence }
        var (right, best) = (0, (count: 0, right: 0))
        for (index, answer) in answers.enumerated() {
            right += answer.isRight ? 1 : 0
            // Answers of one confidence are given all or none.
            if index + 1 < answers.count, answers[index + 1].confidence == answer.confidence { continue }
            if Double(right) >= wanted * Double(index + 1) { best = (index + 1, right) }
        }
        guard best.count > 0 else {
            throw UsageError("not even the surest answers are right as often as \(wanted); ask for a lower precision")
        }
        threshold = answers[best.count - 1].confidence
        precision = Double(best.right) / Double(best.count)
        coverage = Double(answers.prefix(best.count).count { $0.isNumber }) / Double(labelled.count)
        sequences = readings.count
    }
}

extension Belief {
    /// Log-probabilities divided by `temperature`, and normalised.
    func cooled(to temperature: Double) -> Belief {
        func cooled(_ row: [Double]) -> [Double] { Self.combined([row.map { $0 / temperature }]) }
        return Belief(tens: cooled(tens), ones: cooled(ones))
    }
}
