import Foundation

extension ModelCalibration {
    /// - Parameters:
    ///   - readings: of labelled sequences from an uncalibrated reader. The label is nil if no
    ///     number is visible.
    ///   - precision: the precision to reach. The threshold is the lowest that does.
    /// - Throws: `UsageError` if no sequence has a number, or no threshold reaches that precision.
    package init(_ readings: [Reading], precision wanted: Double) throws {
        guard readings.contains(where: { $0.sequence.number != nil }) else {
            throw UsageError("none of the \(readings.count) sequences has a number")
        }
        let samples = CalibrationSample.all(readings)
        self.init(
            temperature: 1, threshold: 0, precision: 0, coverage: 0, sequences: readings.count,
            looks: samples.contains { $0.looks != nil } ? LookWeights(variety: 1, readability: 1) : nil)
        fit(to: samples)
        let all = answers(samples)
        let cuts = (Self.targets.filter { abs($0 - wanted) > 1e-9 } + [wanted]).sorted().compactMap {
            target in
            Self.threshold(all, precision: target).map { Cut(target: target, threshold: $0, all) }
        }
        guard let best = cuts.first(where: { $0.target == wanted }) else {
            throw UsageError(
                "even the most confident answers do not reach a precision of \(wanted); choose a lower one")
        }
        (threshold, precision, coverage) = (best.threshold, best.precision, best.coverage)
        self.cuts = cuts
    }

    /// The precisions for which a file has thresholds.
    private static let targets: [Double] = {
        let rough = stride(from: 500, to: 900, by: 50)
        let fine = stride(from: 900, to: 990, by: 10)
        return (Array(rough) + Array(fine) + Array(990...999)).map { Double($0) / 1000 }
    }()

    private typealias Answer = (confidence: Double, isRight: Bool, isNumber: Bool)

    /// Most confident first.
    private func answers(_ samples: [CalibrationSample]) -> [Answer] {
        samples.map { sample in
            let digits = sample.digits(self)
            return (digits.confidence, digits.number == sample.truth, sample.truth != nil)
        }.sorted { $0.confidence > $1.confidence }
    }

    /// The lowest threshold above which answers are right as often as that; nil if there is none.
    private static func threshold(_ answers: [Answer], precision: Double) -> Double? {
        let best = cuts(answers.map { ($0.confidence, $0.isRight) }).last {
            Double($0.right) >= precision * Double($0.given)
        }
        return best.map { answers[$0.given - 1].confidence }
    }

    /// Finds the temperature and the weights of looks with the least loss: from where they are, in
    /// steps that halve where none helps (a compass search; Kolda, Lewis and Torczon 2003).
    private mutating func fit(to samples: [CalibrationSample]) {
        func loss(_ calibration: ModelCalibration) -> Double {
            samples.reduce(0) { $0 + $1.loss(calibration) }
        }
        var least = loss(self)
        var step = 0.5
        while step > 0.005 {
            let tried = (neighbours(step) + neighbours(-step)).map { (calibration: $0, loss: loss($0)) }
            if let best = tried.min(by: { $0.loss < $1.loss }), best.loss < least {
                (self, least) = best
            } else {
                step /= 2
            }
        }
    }

    /// This calibration with one value changed, each in turn.
    private func neighbours(_ step: Double) -> [ModelCalibration] {
        var cooler = self
        cooler.temperature = min(max(temperature * exp(step), 0.3), 100)
        guard let looks else { return [cooler] }
        var (varied, clearer) = (self, self)
        // Not by a factor alone, so that zero can be reached and left.
        varied.looks?.variety = min(max(looks.variety * exp(step) + step / 10, 0), 100)
        clearer.looks?.readability = min(max(looks.readability + step, 0), 10)
        return [cooler, varied, clearer]
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

extension ModelCalibration.Cut {
    /// - Parameter answers: most confident first.
    fileprivate init(
        target: Double, threshold: Double,
        _ answers: [(confidence: Double, isRight: Bool, isNumber: Bool)]
    ) {
        let given = answers.prefix { $0.confidence >= threshold }
        let numbers = answers.count(where: \.isNumber)
        self.init(
            target: target, threshold: threshold,
            precision: Double(given.count(where: \.isRight)) / Double(max(given.count, 1)),
            coverage: Double(given.count(where: \.isNumber)) / Double(max(numbers, 1)))
    }
}
