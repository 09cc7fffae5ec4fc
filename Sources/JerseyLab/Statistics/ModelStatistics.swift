import Foundation
import Jersey
import JerseyOutput

/// Statistics of models over their runs: accuracies over seeds, and which differences exceed the
/// noise.
package struct ModelStatistics: Encodable, Sendable {
    package struct Model: Encodable, Sendable {
        package let name: String
        package let parameters: Int
        package let number: Summary
        package let tens: Summary
        package let ones: Summary
        /// Accuracy of the full-number head; empty without one.
        package let full: Summary
        package let track: Summary
        /// Test loss: the sum of the heads' losses with the training weights.
        package let loss: Summary
        package let runs: [Run]
        package let breakdowns: [Breakdown]
    }

    package struct Run: Encodable, Sendable {
        package let id: String
        package let seed: UInt64
        package let validationAccuracy: Double?
        /// Accuracy on the test sequences; nil if there are none.
        package let accuracy: Double?
        /// Wilson's 95% interval.
        package let interval: [Double]?
        package let sequences: Int
    }

    /// Models in the order of the groups.
    package let models: [Model]
    /// Every pair with common test sequences; with a baseline, only its pairs.
    package let comparisons: [PairedComparison]
    /// The model that others are compared with: the baseline, or the best by validation. The test
    /// set does not select it.
    package let reference: String?
    /// The baseline that the user named; nil if validation selected the reference.
    package let baseline: String?
    /// Whether all losses use the same weights.
    private let hasOneLoss: Bool

    private enum CodingKeys: String, CodingKey {
        case models, comparisons, reference
    }

    /// - Parameter baseline: the name of the group that others are compared with.
    package init(_ groups: [RunGroup], baseline: String? = nil) {
        let looks = Breakdown.looks(groups)
        models = groups.map { group in
            Model(
                name: group.name, parameters: group.runs[0].result.parameters, number: group.summary(.number),
                tens: group.summary(.tens), ones: group.summary(.ones), full: group.summary(.full),
                track: group.summary(.track),
                loss: group.loss, runs: group.runs.map(Run.init),
                breakdowns: Breakdown.Kind.allCases.compactMap { Breakdown(group, by: $0, looks: looks) })
        }
        comparisons = PairedComparison.all(among: groups, with: baseline)
        reference = baseline ?? RunGroup.ranked(groups).first?.name
        self.baseline = baseline
        hasOneLoss = Set(groups.map(\.lossWeights)).count < 2
    }

    /// The models with the highest mean test accuracy; empty if nothing was tested.
    package var leaders: [Model] {
        guard let most = models.compactMap(\.number.mean).max() else { return [] }
        // Equal means can differ by rounding.
        return models.filter { $0.number.mean.map { most - $0 < 1e-12 } ?? false }
    }
}

extension ModelStatistics.Run {
    init(_ run: FinishedRun) {
        let number = run.result.test?.all.sequences.number
        self.init(
            id: run.id, seed: run.result.seed, validationAccuracy: run.result.validation?.numberAccuracy,
            accuracy: number?.value,
            interval: number?.interval, sequences: number?.count ?? 0)
    }
}

// MARK: - Tables

extension ModelStatistics {
    /// A sentence about the highest mean test accuracy; nil without test sequences.
    var leaderFinding: String? {
        let words = leaders.map {
            "\($0.name), \($0.number.percentText) of the sequences and \($0.track.percentText) of the tracks (n = \($0.number.n))"
        }
        guard words.count > 1 else { return words.first.map { "Highest mean test accuracy: \($0)." } }
        return "Highest mean test accuracy, tied: \(words.joined(separator: "; "))."
    }

    package var summaryTable: Table {
        let hasFullHead = models.contains { $0.full.n > 0 }
        let rows = models.map { model in
            [
                model.name, "\(model.number.n)", model.number.text, model.number.rangeText, model.tens.text,
                model.ones.text,
                model.track.text, model.loss.text,
            ] + (hasFullHead ? [model.full.text] : [])
        }
        var table = Table(
            ["model", "n", "number", "min - max", "tens", "ones", "track", "loss"]
                + (hasFullHead ? ["full head"] : []),
            rows: rows,
            title: "Test accuracy and loss over seeds",
            note: "Mean ± sample standard deviation over n seeds; number, tens and ones are per sequence."
                + lossNote)
        let best = leaders.map(\.name)
        table.emphasis = Set(
            models.indices.filter { best.contains(models[$0].name) }.flatMap { [[$0, 0], [$0, 2]] })
        return table
    }

    /// Empty if the losses can be compared.
    private var lossNote: String {
        hasOneLoss
            ? ""
            : " Each loss uses the model's own training weights; do not compare losses with different weights."
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
            note: "Wilson's interval, which assumes independent sequences.")
    }

    /// All pairs, or only those with the reference model, which then comes first in each. Nil if
    /// there is nothing to compare.
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
            [
                "first", "second", "sequences", "difference, points", "only first : second right", "p",
                "adjusted p", "verdict",
            ],
            rows: rows, title: "Paired comparisons" + (allPairs ? "" : partner),
            note:
                "Difference: mean accuracy of the second minus the first, with a 95% bootstrap interval over tracks and seeds. The "
                + "interval is too narrow with few seeds (with five it underestimates their spread by a tenth). P: McNemar's exact "
                + "test on the sequences that most runs of one model read right and most of the other wrong, with Holm's adjustment for "
                + "\(comparisons.count == 1 ? "one pair" : "\(comparisons.count) pairs"). A difference counts if the "
                + "interval excludes zero, adjusted p is below 0.05, and both have at least \(PairedComparison.fewestRuns) runs."
                + (incomparable.isEmpty
                    ? "" : " No common test sequences: \(incomparable.joined(separator: "; ")).")
        )
    }

    /// Pairs without common test sequences, as "a and b".
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

    private static func probability(_ p: Double) -> String {
        p < 0.001 ? "<0.001" : Format.decimal(p, places: 3)
    }
}

extension Summary {
    /// "0.9512 - 0.9633"; "-" without values.
    var rangeText: String {
        guard let minimum, let maximum else { return "-" }
        return Format.range(minimum, maximum, places: 4)
    }
}
