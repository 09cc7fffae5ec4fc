import Foundation
import Jersey

/// What can be said of models from their runs: accuracies over seeds, and which differences are more than noise.
public struct ModelStatistics: Encodable, Sendable {
    public struct Model: Encodable, Sendable {
        public let name: String
        public let parameters: Int
        public let number: Summary
        public let tens: Summary
        public let ones: Summary
        /// Of the head for the full number; of nothing without one.
        public let full: Summary
        public let track: Summary
        public let runs: [Run]
        public let breakdowns: [Breakdown]
    }

    public struct Run: Encodable, Sendable {
        public let id: String
        public let seed: UInt64
        public let validationAccuracy: Double?
        /// On the test sequences; nil without any.
        public let accuracy: Double?
        /// Wilson's, 95%.
        public let interval: [Double]?
        public let sequences: Int
    }

    /// In the order of the groups.
    public let models: [Model]
    /// Every pair that has test sequences in common.
    public let comparisons: [PairedComparison]
    /// The model of the best validation accuracy, which the others are compared with: the test set does not choose it.
    public let reference: String?

    public init(_ groups: [RunGroup]) {
        let looks = Breakdown.looks(groups)
        models = groups.map { group in
            Model(
                name: group.name, parameters: group.runs[0].result.parameters, number: group.summary(.number),
                tens: group.summary(.tens), ones: group.summary(.ones), full: group.summary(.full), track: group.summary(.track),
                runs: group.runs.map(Run.init),
                breakdowns: Breakdown.Kind.allCases.compactMap { Breakdown(group, by: $0, looks: looks) })
        }
        comparisons = PairedComparison.all(among: groups)
        reference = RunGroup.ranked(groups).first?.name
    }

    /// The model of the highest mean test accuracy.
    public var leader: String? {
        models.max { ($0.number.mean ?? 0) < ($1.number.mean ?? 0) }?.name
    }
}

extension ModelStatistics.Run {
    init(_ run: FinishedRun) {
        let number = run.result.test?.all.sequences.number
        self.init(
            id: run.id, seed: run.result.seed, validationAccuracy: run.result.validation?.numberAccuracy, accuracy: number?.value,
            interval: number?.interval, sequences: number?.count ?? 0)
    }
}

// MARK: - Tables

extension ModelStatistics {
    public var summaryTable: Table {
        let hasFullHead = models.contains { $0.full.n > 0 }
        let rows = models.map { model in
            [
                model.name, "\(model.number.n)", model.number.text, model.number.rangeText, model.tens.text, model.ones.text,
                model.track.text,
            ] + (hasFullHead ? [model.full.text] : [])
        }
        var table = Table(
            ["model", "n", "number", "min - max", "tens", "ones", "track"] + (hasFullHead ? ["full head"] : []), rows: rows,
            title: "Test accuracy over seeds",
            note: "Mean ± standard deviation of the sample over n seeds; number, tens and ones of sequences.")
        if let leader, let row = models.firstIndex(where: { $0.name == leader }) { table.emphasis = [[row, 0], [row, 2]] }
        return table
    }

    public var runTable: Table {
        let rows = models.flatMap { model in
            model.runs.map { run in
                let interval = run.interval.map { String(format: "%.4f - %.4f", $0[0], $0[1]) } ?? "-"
                return [
                    run.id, run.validationAccuracy.map { String(format: "%.4f", $0) } ?? "-",
                    run.accuracy.map { String(format: "%.4f", $0) } ?? "-", interval, "\(run.sequences)",
                ]
            }
        }
        return Table(
            ["run", "validation", "test number", "95% interval", "sequences"], rows: rows, title: "Runs",
            note: "Wilson's interval, which takes sequences as independent.")
    }

    /// Pairs with the model of the best validation accuracy, or all; nil where there is nothing to compare.
    public func comparisonTable(allPairs: Bool) -> Table? {
        guard models.count > 1 else { return nil }
        let shown = comparisons.filter { allPairs || $0.first == reference || $0.second == reference }
        let rows = shown.map { pair in
            [
                pair.first, pair.second, "\(pair.sequences)", pair.differenceText,
                "\(pair.onlyFirstRight) : \(pair.onlySecondRight)", Self.probability(pair.pValue),
                Self.probability(pair.adjustedPValue), pair.verdict,
            ]
        }
        return Table(
            ["first", "second", "sequences", "difference, points", "only first : second right", "p", "adjusted p", "verdict"],
            rows: rows, title: "Paired comparisons" + (allPairs ? "" : " with \(reference ?? ""), the best by validation"),
            note:
                "Mean accuracy of the second less that of the first, with the 95% interval of a bootstrap over tracks and seeds, which is "
                + "too narrow with few seeds (with five it takes their spread for a tenth less than it is); McNemar's exact test on the "
                + "sequences that most runs of one model read right and most of the other wrong, adjusted by Holm for "
                + "\(comparisons.count) pairs. A difference counts where the interval leaves out zero, the adjusted p is below 0.05, and "
                + "there are \(PairedComparison.fewestRuns) runs or more of both."
                + (incomparable.isEmpty ? "" : " Without common test sequences: \(incomparable.joined(separator: "; ")).")
        )
    }

    /// "a and b": pairs that have read no test sequence in common.
    private var incomparable: [String] {
        let names = models.map(\.name)
        return names.indices.flatMap { first in
            names[(first + 1)...].filter { second in
                !comparisons.contains { $0.first == names[first] && $0.second == second }
            }.map { "\(names[first]) and \($0)" }
        }
    }

    private static func probability(_ p: Double) -> String { p < 0.001 ? "<0.001" : String(format: "%.3f", p) }
}

extension Summary {
    /// "0.9512 - 0.9633"; "-" of nothing.
    var rangeText: String {
        guard let minimum, let maximum else { return "-" }
        return String(format: "%.4f - %.4f", minimum, maximum)
    }
}
