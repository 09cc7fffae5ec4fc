import Foundation

extension ModelCalibration {
    /// - Parameters:
    ///   - readings: of labelled sequences, by a reader without calibration; number nil where none is seen.
    ///   - precision: to be reached, by a threshold that is as low as it can be.
    /// - Throws: `UsageError` when no sequence shows a number, or no threshold has that precision.
    package init(_ readings: [Reading], precision wanted: Double) throws {
        let labelled = readings.filter { $0.sequence.number != nil }
        guard !labelled.isEmpty else { throw UsageError("none of the \(readings.count) sequences shows a number") }
        func loss(_ temperature: Double) -> Double {
            labelled.reduce(0) { sum, reading in
                sum - reading.digits.temperatureScaled(temperature).logProbability(of: reading.sequence.number!)
            }
        }
        // The loss has one minimum; a step is 2%.
        let temperature = (-60...240).map { pow(1.02, Double($0)) }.min { loss($0) < loss($1) }!
        self.temperature = temperature

        let answers = readings.map { reading in
            let (digits, truth) = (reading.digits.temperatureScaled(temperature), reading.sequence.number)
            return (confidence: digits.confidence, isRight: digits.number == truth, isNumber: truth != nil)
        }.sorted { $0.confidence > $1.confidence }
        let cuts = Self.cuts(answers.map { ($0.confidence, $0.isRight) })
        guard let best = cuts.last(where: { Double($0.right) >= wanted * Double($0.given) }) else {
            throw UsageError("not even the surest answers are right as often as \(wanted); ask for a lower precision")
        }
        threshold = answers[best.given - 1].confidence
        precision = Double(best.right) / Double(best.given)
        coverage = Double(answers.prefix(best.given).count { $0.isNumber }) / Double(labelled.count)
        sequences = readings.count
    }

    /// What makes it worth little, in sentences.
    ///
    /// - Parameter readings: those that it was measured on.
    package func doubts(_ readings: [Reading]) -> [String] {
        let labelled = readings.filter { $0.sequence.number != nil }
        var doubts: [String] = []
        if labelled.count < Self.fewest {
            doubts.append("\(labelled.count) sequences with a number are few; below \(Self.fewest) they prove little")
        }
        if labelled.allSatisfy({ $0.number == $0.sequence.number }) {
            doubts.append(
                "every number is read rightly, so that nothing tells what wrong answers look like; use harder sequences")
        }
        if labelled.count == readings.count {
            doubts.append(
                "no sequence is without a number (\(FolderLayout.unreadable)/), so that nothing tells how sure the model is of those"
            )
        }
        return doubts
    }

    private static let fewest = 300

    /// Where one may stop answering, and how many answers are given and right until there. Answers of one confidence are given all or
    /// none.
    ///
    /// - Parameter answers: surest first.
    package static func cuts(_ answers: [(confidence: Double, isRight: Bool)]) -> [(given: Int, right: Int)] {
        var right = 0
        return answers.enumerated().compactMap { index, answer in
            right += answer.isRight ? 1 : 0
            let isTied = index + 1 < answers.count && answers[index + 1].confidence == answer.confidence
            return isTied ? nil : (index + 1, right)
        }
    }
}
