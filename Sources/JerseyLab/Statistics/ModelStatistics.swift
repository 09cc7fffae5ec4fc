import Foundation
import Jersey
import JerseyOutput

/// What can be said of models from their runs: accuracies over seeds, and which differences are more than noise.
package struct ModelStatistics: Encodable, Sendable {
    package struct Model: Encodable, Sendable {
        package let name: String
        package let parameters: Int
        package let number: Summary
        package let tens: Summary
        package let ones: Summary
        /// By the head for the full number; empty without one.
        package let full: Summary
        package let track: Summary
        /// On the test set: the sum of the heads' losses with the weights of training.
        package let loss: Summary
        package let runs: [Run]
        package let breakdowns: [Breakdown]
    }

    package struct Run: Encodable, Sendable {
        package let id: String
        package let seed: UInt64
        package let validationAccuracy: Double?
        /// On the test sequences; nil without any.
        package let accuracy: Double?
        /// Wilson's, 95%.
        package let interval: [Double]?
        package let sequences: Int
    }

    /// In the order of the groups.
    package let models: [Model]
    /// Every pair that has test sequences in common; with a baseline, its pairs alone.
    package let comparisons: [PairedComparison]
    /// What the others are compared with: the baseline, or the model of the best validation accuracy. The test set does not choose it.
    package let reference: String?
    /// The one that was named; nil where validation has chosen.
    package let baseline: String?
    /// Whether the losses are sums of the same weights.
    private let hasOneLoss: Bool

    private enum CodingKeys: String, CodingKey {
        case models, comparisons, reference
    }

    /// - Parameter baseline: the name of the group to compare the others with.
    package init(_ groups: [RunGroup], baseline: String? = nil) {
        let looks = Breakdown.looks(groups)
        models = groups.map { group in
            Model(
                name: group.name, parameters: group.runs[0].result.parameters, number: group.summary(.number),
                tens: group.summary(.tens), ones: group.summary(.ones), full: group.summary(.full), track: group.summary(.track),
                loss: group.loss, runs: group.runs.map(Run.init),
                breakdowns: Breakdown.Kind.allCases.compactMap { Breakdown(group, by: $0, looks: looks) })
        }
        comparisons = PairedComparison.all(among: groups, with: baseline)
        reference = baseline ?? RunGroup.ranked(groups).first?.name
        self.baseline = baseline
        hasOneLoss = Set(groups.map(\.lossWeights)).count < 2
    }

    /// The model of the highest mean test accuracy, or several that have the same; none where nothing was tested.
    package var leaders: [Model] {
        guard let most = models.compactMap(\.number.mean).max() else { return [] }
        // Means of the same shares may differ by rounding.
        return models.filter { $0.number.mean.map { most - $0 < 1e-12 } ?? false }
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
    /// A sentence on the highest mean test accuracy; nil without test sequences.
    var leaderFinding: String? {
        let words = leaders.map {
            "\($0.name), \($0.number.percentText) of the sequences and \($0.track.percentText) of the tracks (n = \($0.number.n))"
        }
        guard words.count > 1 else { return words.first.map { "Highest mean test accuracy: \($0)." } }
        return "Highest mean test accuracy, alike: \(words.joined(separator: "; "))."
    }

    package var summaryTable: Table {
        let hasFullHead = models.contains { $0.full.n > 0 }
        let rows = models.map { model in
            [
                model.name, "\(model.number.n)", model.number.text, model.number.rangeText, model.tens.text, model.ones.text,
                model.track.text, model.loss.text,
            ] + (hasFullHead ? [model.full.text] : [])
        }
        var table = Table(
            ["model", "n", "number", "min - max", "tens", "ones", "track", "loss"] + (hasFullHead ? ["full head"] : []),
            rows: rows,
            title: "Test accuracy and loss over seeds",
            note: "Mean ± standard deviation of the sample over n seeds; number, tens and ones of sequences." + lossNote)
        let best = leaders.map(\.name)
        table.emphasis = Set(models.indices.filter { best.contains(models[$0].name) }.flatMap { [[$0, 0], [$0, 2]] })
        return table
    }

    /// Nothing where losses may be compared.
    private var lossNote: String {
        hasOneLoss
            ? "" : " Each loss is weighted as in the model's own training, so that losses of other weights may not be compared."
    }

    package var runTable: Table {
        let rows = models.flatMap { model in
            model.runs.map { run in
                let interval = run.interval.map { Format.range($0[0], $0[1], places: 4) } ?? "-"
                return [
                    run.id, Format.decimal(run.validationAccuracy, places: 4),
                    Format.decimal(run.accuracy, places: 4), interval, "\(run.sequences)",
                ]
            }
        }
        return Table(
            ["run", "validation", "test number", "95% interval", "sequences"], rows: rows, title: "Runs",
            note: "Wilson's interval, which takes sequences as independent.")
    }

    /// Pairs with the baseline, or with the model of the best validation accuracy, which comes first in them; or all. Nil where there
    /// is nothing to compare.
    package func comparisonTable(allPairs: Bool) -> Table? {
        guard models.count > 1 else { return nil }
        let shown =
            allPairs
            ? comparisons
            : comparisons.filter { $0.first == reference || $0.second == reference }
                .map { $0.first == reference ? $0 : $0.reversed }
        let rows = shown.map { pair in
            [
                pair.first, pair.second, "\(pair.sequences)", pair.differenceText,
                "\(pair.onlyFirstRight) : \(pair.onlySecondRight)", Self.probability(pair.pValue),
                Self.probability(pair.adjustedPValue), baseline != nil ? pair.effect : pair.verdict,
            ]
        }
        let partner = " with \(reference ?? ""), the " + (baseline != nil ? "baseline" : "best by validation")
        return Table(
            ["first", "second", "sequences", "difference, points", "only first : second right", "p", "adjusted p", "verdict"],
            rows: rows, title: "Paired comparisons" + (allPairs ? "" : partner),
            note:
                "Mean accuracy of the second less that of the first, with the 95% interval of a bootstrap over tracks and seeds, which is "
                + "too narrow with few seeds (with five it takes their spread for a tenth less than it is); McNemar's exact test on the "
                + "sequences that most runs of one model read right and most of the other wrong, adjusted by Holm for "
                + "\(comparisons.count == 1 ? "one pair" : "\(comparisons.count) pairs"). A difference counts where the interval leaves out zero, the adjusted p is below 0.05, and "
                + "there are \(PairedComparison.fewestRuns) runs or more of both."
                + (incomparable.isEmpty ? "" : " Without common test sequences: \(incomparable.joined(separator: "; ")).")
        )
    }

    /// "a and b": pairs that have read no test sequence in common.
    private var incomparable: [String] {
        let names = models.map(\.name)
        return names.indices.flatMap { first in
            names[(first + 1)...].filter { second in
                let pair = [names[first], second]
                return (baseline.map(pair.contains) ?? true)
                    && !comparisons.contains { pair.contains($0.first) && pair.contains($0.second) }
            }.map { "\(names[first]) and \($0)" }
        }
    }

    private static func probability(_ p: Double) -> String { p < 0.001 ? "<0.001" : Format.decimal(p, places: 3) }
}

extension Summary {
    /// "0.9512 - 0.9633"; "-" of nothing.
    var rangeText: String {
        guard let minimum, let maximum else { return "-" }
        return Format.range(minimum, maximum, places: 4)
    }
}
