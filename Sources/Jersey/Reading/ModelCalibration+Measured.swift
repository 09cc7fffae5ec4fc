import Foundation

extension ModelCalibration {
    /// - Parameters:
    ///   - readings: of labelled sequences from an uncalibrated reader. The label is nil if no
    ///     number is visible.
    ///   - precision: the precision to reach. The threshold is the lowest that does.
    /// - Throws: `UsageError` if no sequence has a number, or no threshold reaches that precision.
    package init(_ readings: [Reading], precision wanted: Double) throws {
        let labelled = readings.filter { $0.sequence.number != nil }
        guard !labelled.isEmpty else {
            throw UsageError("none of the \(readings.count) sequences has a number")
        }
        func loss(_ temperature: Double) -> Double {
            labelled.reduce(0) { sum, reading in
                sum
                    - reading.digits.temperatureScaled(temperature).logProbability(
                        of: reading.sequence.number!)
            }
        }
        // The loss has one minimum. A step is 2%.
        let temperature = (-60...240).map { pow(1.02, Double($0)) }.min { loss($0) < loss($1) }!
        self.temperature = temperature

        let answers = readings.map { reading in
            let (digits, truth) = (reading.digits.temperatureScaled(temperature), reading.sequence.number)
            return (confidence: digits.confidence, isRight: digits.number == truth, isNumber: truth != nil)
        }.sorted { $0.confidence > $1.confidence }
        let cuts = Self.cuts(answers.map { ($0.confidence, $0.isRight) })
        guard let best = cuts.last(where: { Double($0.right) >= wanted * Double($0.given) }) else {
            throw UsageError(
                "even the most confident answers do not reach a precision of \(wanted); choose a lower one")
        }
        threshold = answers[best.given - 1].confidence
        precision = Double(best.right) / Double(best.given)
        coverage = Double(answers.prefix(best.given).count { $0.isNumber }) / Double(labelled.count)
        sequences = readings.count
    }

    /// The reasons to doubt this calibration, as sentences.
    ///
    /// - Parameter readings: those that it was measured on.
    package func doubts(_ readings: [Reading]) -> [String] {
        let labelled = readings.filter { $0.sequence.number != nil }
        var doubts: [String] = []
        if labelled.count < Self.fewest {
            doubts.append(
                "only \(labelled.count) sequences have a number; fewer than \(Self.fewest) prove little")
        }
        if labelled.allSatisfy({ $0.number == $0.sequence.number }) {
            doubts.append(
                "every number is read correctly, so the confidence of wrong answers is unknown; use harder sequences"
            )
        }
        if labelled.count == readings.count {
            doubts.append(
                "every sequence has a number, so the model's confidence without one is unknown; add some in \(FolderLayout.unreadable)/"
            )
        }
        return doubts
    }

    private static let fewest = 300

    /// The possible cuts between answers and abstentions: how many answers are given, and how many
    /// of them are right. Answers of equal confidence are given all or none.
    ///
    /// - Parameter answers: most confident first.
    package static func cuts(_ answers: [(confidence: Double, isRight: Bool)]) -> [(given: Int, right: Int)] {
        var right = 0
        return answers.enumerated().compactMap { index, answer in
            right += answer.isRight ? 1 : 0
            let isTied = index + 1 < answers.count && answers[index + 1].confidence == answer.confidence
            return isTied ? nil : (index + 1, right)
        }
    }
}
