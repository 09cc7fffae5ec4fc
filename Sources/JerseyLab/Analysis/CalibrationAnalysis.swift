import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    /// Whether answers with 90% confidence are right nine times in ten (Guo et al. 2017), and how
    /// many remain when the model abstains on uncertain ones.
    static let calibration = Analysis(
        name: "calibration",
        summary: "Compares confidences with accuracy: ECE, reliability diagram, risk against coverage.",
        CalibrationResult.self)
}

/// How well the confidences of models match their accuracy.
struct CalibrationResult: AnalysisResult {
    struct Model {
        let group: RunGroup
        /// One per run with labelled sequences.
        let runs: [Calibration]
    }

    /// The part of the split; nil for the test set.
    let split: String?
    /// Models with labelled sequences, in the order of the groups.
    let models: [Model]
    /// The first model's non-empty bins, its runs pooled.
    let reliability: [Calibration.Bin]

    init(_ input: AnalysisInput) throws {
        split = input.split
        models = try input.groups.map { group in
            let runs = try group.runs.map { Calibration(try input.readings(by: $0).labelled) }
            return Model(group: group, runs: runs.filter { !$0.answers.isEmpty })
        }
        .filter { !$0.runs.isEmpty }
        guard let leader = models.first else {
            throw UsageError("there are no labelled \(input.sequences) to analyze")
        }
        reliability = Calibration(all: leader.runs).bins.filter { $0.count > 0 }
    }

    private struct Summary: Encodable {
        struct Figures: Encodable {
            let ece: Double
            let mce: Double
            let brier: Double
            let nll: Double
            let aurc: Double
            let coverageAt99: Double
            let coverageAt98: Double

            init(_ calibration: Calibration) {
                ece = calibration.expectedError
                mce = calibration.maximumError
                brier = calibration.brier
                nll = calibration.negativeLogLikelihood
                aurc = calibration.areaUnderRiskCoverage
                coverageAt99 = calibration.coverage(atAccuracy: 0.99)
                coverageAt98 = calibration.coverage(atAccuracy: 0.98)
            }
        }

        struct Model: Encodable {
            let model: String
            let runs: [Figures]
        }

        struct Bin: Encodable {
            let lower: Double
            let upper: Double
            let count: Int
            let meanConfidence: Double
            let accuracy: Double?
            let interval: [Double]?
        }

        let split: String?
        let models: [Model]
        let reliability: [Bin]
    }

    func encode(to encoder: any Encoder) throws {
        try Summary(
            split: split,
            models: models.map { .init(model: $0.group.name, runs: $0.runs.map(Summary.Figures.init)) },
            reliability: reliability.map {
                .init(
                    lower: $0.lower, upper: $0.upper, count: $0.count, meanConfidence: $0.meanConfidence,
                    accuracy: $0.accuracy.value, interval: $0.accuracy.interval)
            }
        ).encode(to: encoder)
    }
}

/// Answers and their confidences.
struct Calibration: Sendable {
    struct Answer: Sendable {
        /// 0...1.
        let confidence: Double
        let isRight: Bool
        /// Predicted probability of the true number.
        let truth: Double
    }

    struct Bin {
        let lower: Double
        let upper: Double
        let meanConfidence: Double
        let accuracy: Proportion
        var count: Int { accuracy.count }
    }

    static let binCount = 15

    /// Most confident first.
    let answers: [Answer]

    init(_ rows: [LabelledOutcome]) {
        self.init(
            rows.map {
                Answer(
                    confidence: $0.outcome.confidence, isRight: $0.isRight,
                    truth: $0.probability(of: $0.truth))
            })
    }

    init(all parts: [Calibration]) { self.init(parts.flatMap(\.answers)) }

    init(_ answers: [Answer]) { self.answers = answers.sorted { $0.confidence > $1.confidence } }

    /// Answers by confidence, in bins of equal width from 0 to 1.
    var bins: [Bin] {
        let groups = Dictionary(grouping: answers) {
            min(Int(clamping: $0.confidence * Double(Self.binCount)), Self.binCount - 1)
        }
        return (0..<Self.binCount).map { index in
            let group = groups[index] ?? []
            let mean = group.reduce(0) { $0 + $1.confidence } / Double(max(group.count, 1))
            return Bin(
                lower: Double(index) / Double(Self.binCount),
                upper: Double(index + 1) / Double(Self.binCount),
                meanConfidence: mean, accuracy: Proportion(group.count(where: \.isRight), of: group.count))
        }
    }

    private var gaps: [(gap: Double, share: Double)] {
        bins.compactMap { bin in
            bin.accuracy.value.map {
                (abs($0 - bin.meanConfidence), Double(bin.count) / Double(answers.count))
            }
        }
    }

    /// ECE, 0...1.
    var expectedError: Double { gaps.reduce(0) { $0 + $1.gap * $1.share } }

    /// MCE, the error of the worst bin, 0...1.
    var maximumError: Double { gaps.map(\.gap).max() ?? 0 }

    /// Mean squared error of the confidence, 0...1.
    var brier: Double {
        answers.reduce(0) { sum, answer in
            let miss = answer.confidence - (answer.isRight ? 1 : 0)
            return sum + miss * miss
        } / Double(max(answers.count, 1))
    }

    /// Mean negative log-probability of the truth, in nats.
    var negativeLogLikelihood: Double {
        answers.reduce(0) { $0 - log(max($1.truth, 1e-300)) } / Double(max(answers.count, 1))
    }

    /// Share of wrong answers at each coverage, most confident answers first. Answers of equal
    /// confidence enter together.
    var riskCoverage: [(coverage: Double, risk: Double)] {
        ModelCalibration.cuts(answers.map { ($0.confidence, $0.isRight) }).map { given, right in
            (Double(given) / Double(answers.count), Double(given - right) / Double(given))
        }
    }

    /// Mean risk over coverage, 0...1.
    var areaUnderRiskCoverage: Double {
        var (area, last) = (0.0, 0.0)
        for point in riskCoverage {
            area += point.risk * (point.coverage - last)
            last = point.coverage
        }
        return area
    }

    /// The largest coverage at which the answers reach this accuracy, 0...1.
    func coverage(atAccuracy accuracy: Double) -> Double {
        riskCoverage.last { 1 - $0.risk >= accuracy - 1e-12 }?.coverage ?? 0
    }
}

// MARK: - View

extension CalibrationResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        AnalysisView(
            of: self, tables: [table(of: input.sequences), reliabilityTable],
            charts: [reliabilityChart, riskChart])
    }

    private var leader: RunGroup { models[0].group }

    private func table(of sequences: String) -> Table {
        Table(
            [
                "model", "n", "ECE", "largest error", "Brier", "NLL", "area under risk-coverage",
                "coverage at 99%",
                "coverage at 98%",
            ],
            rows: models.map { model in
                func mean(_ value: (Calibration) -> Double) -> JerseyLab.Summary {
                    .init(model.runs.map(value))
                }
                return [
                    model.group.name, "\(model.runs.count)", mean(\.expectedError).text,
                    mean(\.maximumError).text,
                    mean(\.brier).text, mean(\.negativeLogLikelihood).text,
                    mean(\.areaUnderRiskCoverage).text,
                    mean { $0.coverage(atAccuracy: 0.99) }.percentText,
                    mean { $0.coverage(atAccuracy: 0.98) }.percentText,
                ]
            }, title: "Calibration of the number's confidence on the \(sequences)",
            note:
                "Mean ± standard deviation over n runs. ECE over \(Calibration.binCount) bins of equal width; coverage at 99%: "
                + "the share of sequences that can be answered, most confident first, with 99% of the answers right."
        )
    }

    private var reliabilityTable: Table {
        Table(
            ["confidence", "answers", "mean confidence", "right"],
            rows: reliability.map { bin in
                [
                    "\(Format.points(bin.lower, places: 0))-\(Format.percent(bin.upper, places: 0))",
                    "\(bin.count)",
                    Format.percent(bin.meanConfidence, places: 1), bin.accuracy.text,
                ]
            }, title: "Reliability of \(leader.name), runs pooled")
    }

    private var reliabilityChart: Chart {
        let points = reliability.compactMap { bin in
            Chart.Value(bin.accuracy).map { Chart.Lines.Point(bin.meanConfidence, $0) }
        }
        return Chart(
            name: "\(leader.fileName)_reliability", title: "Reliability of \(leader.name)",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("confidence", range: 0...1, percent: true),
                    y: Chart.Axis("right", range: 0...1, percent: true),
                    [.init("answers, with 95% interval", points, style: .points)],
                    diagonal: "perfectly calibrated")))
    }

    private var riskChart: Chart {
        // More curves than this would be hard to tell apart.
        let curves = models.prefix(6).map { model in
            Chart.Lines.Series(
                model.group.name,
                Calibration(all: model.runs).riskCoverage.map { .init($0.coverage, $0.risk) })
        }
        return Chart(
            name: "risk_coverage", title: "Wrong answers against the share answered",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("sequences answered, most confident first", range: 0...1, percent: true),
                    y: Chart.Axis("wrong answers", percent: true), curves)))
    }
}
