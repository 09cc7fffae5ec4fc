import Foundation
import Jersey

/// Finished runs that differ only in the seed. Means and deviations are taken over a group.
package struct RunGroup: Sendable {
    /// The model's title, or "model-variant" if the experiment has variants.
    package let name: String
    /// The variant's name in the experiment; nil without variants.
    package let variant: String?
    /// The folder that distinguishes it from another group of the same name; nil if the name is
    /// unique.
    package private(set) var folder: String?
    package let runs: [FinishedRun]

    /// The best run by validation: highest accuracy, then lowest loss. The test set has no
    /// influence.
    package var best: FinishedRun {
        runs.max { Self.merit($0) < Self.merit($1) }!
    }

    /// Mean validation accuracy over runs, for model selection; nil without validation.
    package var validationAccuracy: Double? {
        Summary(runs.compactMap(\.result.validation?.numberAccuracy)).mean
    }

    private static func merit(_ run: FinishedRun) -> (Double, Double) {
        guard let validation = run.result.validation else { return (0, 0) }
        return (validation.numberAccuracy, -validation.loss)
    }

    /// - Parameter runs: must not be empty.
    package init(name: String, variant: String? = nil, runs: [FinishedRun]) {
        precondition(!runs.isEmpty, "a group without runs has no best one")
        self.name = name
        self.variant = variant
        self.runs = runs
    }

    /// The same group, with the folder appended to its name.
    func named(after folder: String) -> RunGroup {
        var group = RunGroup(name: "\(name) (\(folder))", variant: variant, runs: runs)
        group.folder = folder
        return group
    }

    /// Test accuracies; `full` is that of the full-number head.
    package enum Metric: String, CaseIterable, Sendable {
        case number, tens, ones, full, track

        /// Column heading.
        package var title: String {
            switch self {
            case .number: "Acc Number"
            case .tens: "Acc Tens"
            case .ones: "Acc Ones"
            case .full: "Acc Full"
            case .track: "Acc Track"
            }
        }

        /// Nil if the model has no such head.
        func proportion(_ evaluation: Evaluation) -> Proportion? {
            switch self {
            case .number: evaluation.all.sequences.number
            case .tens: evaluation.all.sequences.tens
            case .ones: evaluation.all.sequences.ones
            case .full: evaluation.all.sequences.full
            case .track: evaluation.all.tracks.number
            }
        }
    }

    package func summary(_ metric: Metric) -> Summary {
        Summary(runs.compactMap { $0.result.test.flatMap { metric.proportion($0)?.value } })
    }

    /// Test loss over runs.
    package var loss: Summary { Summary(runs.compactMap(\.result.test?.loss)) }

    /// Weights of the tens, ones and full-number losses. Losses with different weights cannot be
    /// compared.
    var lossWeights: [Double] {
        let training = runs[0].config.training
        return [training.tensWeight, training.onesWeight, training.fullWeight]
    }
}

extension RunGroup {
    /// Sorts groups by validation accuracy, best first. The sort is stable.
    static func ranked(_ groups: [RunGroup]) -> [RunGroup] {
        groups.enumerated().sorted { a, b in
            let (first, second) = (a.element.validationAccuracy ?? 0, b.element.validationAccuracy ?? 0)
            return first == second ? a.offset < b.offset : first > second
        }
        .map(\.element)
    }

    /// The name, made safe for use in file names.
    var fileName: String { String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }) }
}
