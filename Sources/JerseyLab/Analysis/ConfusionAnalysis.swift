import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    /// Section 8.1 of the study. Unlike the study, it keeps "8" and "08" apart.
    static let confusion = Analysis(
        name: "confusion",
        summary: "Shows which digits and numbers are mistaken for which others, as counts and percentages.",
        ConfusionResult.self)
}

/// Confusion matrices of one run: tens, ones and whole numbers.
struct ConfusionResult: AnalysisResult {
    let model: String
    let run: String
    let seed: UInt64
    /// The part of the split; nil for the test set.
    let split: String?
    /// The test accuracy that the run itself recorded, 0...1; nil without test sequences.
    let testAccuracy: Double?
    let tens: ConfusionMatrix
    let ones: ConfusionMatrix
    let full: ConfusionMatrix

    init(_ input: AnalysisInput) throws {
        let run = try input.run
        let pairs = run.labelled
        model = input.groups[0].name
        self.run = run.id
        seed = run.result.seed
        split = input.split
        testAccuracy = run.result.test?.all.sequences.number.value
        tens = ConfusionMatrix(
            of: "tens", names: (0...9).map(String.init) + ["blank"],
            pairs.map { ($0.truth.tens, $0.prediction.tens) })
        ones = ConfusionMatrix(
            of: "ones", names: (0...9).map(String.init), pairs.map { ($0.truth.ones, $0.prediction.ones) })
        full = ConfusionMatrix(numbers: pairs)
    }

    var matrices: [ConfusionMatrix] { [tens, ones, full] }

    /// Uses the study's keys.
    private struct Summary: Encodable {
        struct Accuracies: Encodable {
            let onesDigit: Double?
            let tensDigit: Double?
            let fullNumber: Double?
        }

        let model: String
        let run: String
        let seed: UInt64
        let split: String?
        let testAccFromResults: Double?
        let confusionMatrixAccuracies: Accuracies
        let numSamples: Int
        let onesClasses: [Int]
        let tensClasses: [Int]
        /// Strings, because "08" is not "8".
        let fullNumberClasses: [String]
        let counts: [String: [[Int]]]
    }

    func encode(to encoder: any Encoder) throws {
        try Summary(
            model: model, run: run, seed: seed, split: split, testAccFromResults: testAccuracy,
            confusionMatrixAccuracies: .init(
                onesDigit: ones.accuracy.value, tensDigit: tens.accuracy.value,
                fullNumber: full.accuracy.value),
            numSamples: full.accuracy.count, onesClasses: Array(ones.names.indices),
            tensClasses: Array(tens.names.indices),
            fullNumberClasses: full.names,
            counts: Dictionary(uniqueKeysWithValues: matrices.map { ($0.what, $0.counts) })
        ).encode(to: encoder)
    }
}

/// Counts of truths (rows) and predictions (columns).
struct ConfusionMatrix: Sendable {
    /// "tens", "ones" or "full".
    let what: String
    let names: [String]
    private(set) var counts: [[Int]]

    /// - Parameter pairs: indices of truth and prediction among the names.
    init(of what: String, names: [String], _ pairs: [(Int, Int)]) {
        self.what = what
        self.names = names
        counts = names.map { _ in names.map { _ in 0 } }
        for (truth, prediction) in pairs { counts[truth][prediction] += 1 }
    }

    /// The matrix of whole numbers. Only numbers that occur get a row.
    init(numbers pairs: [LabelledOutcome]) {
        let numbers = Set(pairs.flatMap { [$0.truth, $0.prediction] }).sorted()
        let place = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, $0) })
        self.init(
            of: "full", names: numbers.map(\.description),
            pairs.map { (place[$0.truth]!, place[$0.prediction]!) })
    }

    var accuracy: Proportion {
        Proportion(
            names.indices.reduce(0) { $0 + counts[$1][$1] }, of: counts.reduce(0) { $0 + $1.reduce(0, +) })
    }

    /// One name mistaken for another.
    struct Confusion: Equatable {
        let truth: String
        let prediction: String
        let count: Int
        /// Occurrences of the truth.
        let total: Int
    }

    /// Most frequent first; ties in the order of the names.
    var confusions: [Confusion] {
        names.indices.flatMap { truth in names.indices.map { (truth, $0, counts[truth][$0]) } }
            .filter { $0.0 != $0.1 && $0.2 > 0 }
            .sorted { ($1.2, $0.0, $0.1) < ($0.2, $1.0, $1.1) }
            .map { truth, prediction, count in
                Confusion(
                    truth: names[truth], prediction: names[prediction], count: count,
                    total: counts[truth].reduce(0, +))
            }
    }
}

// MARK: - View

extension ConfusionResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        let file = input.groups[0].fileName
        return AnalysisView(
            of: self,
            tables: [accuracyTable(of: input.sequences)]
                + matrices.compactMap { $0.confusionTable(count: input.count) },
            charts: matrices.flatMap { matrix in
                let share = matrix.accuracy.value.map { ", accuracy \(Format.percent($0, places: 2))" } ?? ""
                let title = "\(model): \(matrix.title)\(share)"
                return [
                    matrix.chart("\(file)_\(matrix.what)_cm", title: title, asShares: true),
                    matrix.chart(
                        "\(file)_\(matrix.what)_cm_counts", title: "\(title), counts", asShares: false),
                ]
            },
            files: matrices.map { .init("\(file)_\($0.what)_cm.npy", NPYFile.data($0.counts)) }
                + [.init("\(file)_cm_summary.json", try JSON.output(self))])
    }

    private func accuracyTable(of sequences: String) -> Table {
        Table(
            ["", "right", "of", "accuracy"],
            rows: matrices.map { matrix in
                [
                    matrix.what, "\(matrix.accuracy.successes)", "\(matrix.accuracy.count)",
                    matrix.accuracy.text,
                ]
            }, title: "\(model), run \(run) (chosen by validation), \(sequences)")
    }
}

extension ConfusionMatrix {
    fileprivate var title: String {
        switch what {
        case "tens": "tens digits"
        case "ones": "ones digits"
        default: "numbers"
        }
    }

    /// The most frequent confusions; nil if there are none.
    fileprivate func confusionTable(count: Int) -> Table? {
        let shown = confusions.prefix(count)
        guard !shown.isEmpty else { return nil }
        return Table(
            ["truth", "mistaken for", "times", "share of truth"],
            rows: shown.map { confusion in
                [
                    confusion.truth, confusion.prediction, "\(confusion.count)",
                    Format.percent(confusion.count, of: confusion.total, places: 1),
                ]
            }, title: "Most frequent confusions of \(title)")
    }

    fileprivate func chart(_ name: String, title: String, asShares: Bool) -> Chart {
        let totals = counts.map { $0.reduce(0, +) }
        let values = counts.enumerated().map { row, cells in
            cells.map { cell -> Double? in
                guard asShares else { return Double(cell) }
                return totals[row] > 0 ? Double(cell) / Double(totals[row]) : nil
            }
        }
        let texts = values.map { row in
            row.map { value in
                value.map { $0 == 0 ? "" : asShares ? Format.points($0, places: 1) : "\(Int(clamping: $0))" }
                    ?? ""
            }
        }
        let gap = asShares && totals.contains(0) ? " (grey: no truth)" : ""
        return Chart(
            name: name, title: title + gap,
            .heatmap(
                Chart.Heatmap(
                    rows: ("truth", names), columns: ("prediction", names), values: values, texts: texts,
                    scale: asShares
                        ? Chart.Axis("share of the truth", range: 0...1, percent: true)
                        : Chart.Axis("sequences"))))
    }
}
