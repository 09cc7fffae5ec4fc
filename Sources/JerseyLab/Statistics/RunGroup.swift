import Foundation
import Jersey

/// Finished runs that differ in nothing but the seed: what a mean and a deviation are taken over.
package struct RunGroup: Sendable {
    /// The model's title, and where an experiment has variants, "model-variant".
    package let name: String
    /// Its name in the experiment; nil where there are no variants.
    package let variant: String?
    /// The folder that tells it from another group of the same name; nil where none has.
    package private(set) var folder: String?
    package let runs: [FinishedRun]

    /// The run that validation would choose: highest accuracy, then lowest loss. The test set has no say in it.
    package var best: FinishedRun {
        runs.max { Self.merit($0) < Self.merit($1) }!
    }

    /// Mean validation accuracy over runs, for choosing among models; nil without validation.
    package var validationAccuracy: Double? { Summary(runs.compactMap(\.result.validation?.numberAccuracy)).mean }

    private static func merit(_ run: FinishedRun) -> (Double, Double) {
        guard let validation = run.result.validation else { return (0, 0) }
        return (validation.numberAccuracy, -validation.loss)
    }

    /// - Parameter runs: at least one.
    package init(name: String, variant: String? = nil, runs: [FinishedRun]) {
        precondition(!runs.isEmpty, "a group without runs has no best one")
        self.name = name
        self.variant = variant
        self.runs = runs
    }

    /// The same, told from others of its name.
    func named(after folder: String) -> RunGroup {
        var group = RunGroup(name: "\(name) (\(folder))", variant: variant, runs: runs)
        group.folder = folder
        return group
    }

    /// Accuracies on the test set that models are judged by; `full` is that of the head for the whole number.
    package enum Metric: String, CaseIterable, Sendable {
        case number, tens, ones, full, track

        /// A column's heading.
        package var title: String {
            switch self {
            case .number: "Acc Number"
            case .tens: "Acc Tens"
            case .ones: "Acc Ones"
            case .full: "Acc Full"
            case .track: "Acc Track"
            }
        }

        /// Nil where there is no such head.
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

    /// Loss on the test set, over runs.
    package var loss: Summary { Summary(runs.compactMap(\.result.test?.loss)) }

    /// Weights of the losses of tens, ones and full number, whose sum a loss is; one of other weights may not be set against it.
    var lossWeights: [Double] {
        let training = runs[0].config.training
        return [training.tensWeight, training.onesWeight, training.fullWeight]
    }
}

extension RunGroup {
    /// By validation accuracy, best first; equal ones in their former order.
    static func ranked(_ groups: [RunGroup]) -> [RunGroup] {
        groups.enumerated().sorted { a, b in
            let (first, second) = (a.element.validationAccuracy ?? 0, b.element.validationAccuracy ?? 0)
            return first == second ? a.offset < b.offset : first > second
        }
        .map(\.element)
    }

    /// The name as a part of a file's.
    var fileName: String { String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }) }
}
