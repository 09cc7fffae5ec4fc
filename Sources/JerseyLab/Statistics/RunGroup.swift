import Foundation
import Jersey
import Torch

/// Finished runs that differ in nothing but the seed: what a mean and a deviation are taken over.
public struct RunGroup: Sendable {
    /// The model's title, and where an experiment has variants, "model-variant".
    public let name: String
    /// Its name in the experiment; nil where there are no variants.
    public let variant: String?
    /// The folder that tells it from another group of the same name; nil where none has.
    public private(set) var folder: String?
    public let runs: [FinishedRun]

    /// The run that validation would choose: highest accuracy, then lowest loss. The test set has no say in it.
    public var best: FinishedRun {
        runs.max { Self.merit($0) < Self.merit($1) }!
    }

    /// Mean validation accuracy over runs, for choosing among models; nil without validation.
    public var validationAccuracy: Double? { Summary(runs.compactMap(\.result.validation?.numberAccuracy)).mean }

    private static func merit(_ run: FinishedRun) -> (Double, Double) {
        guard let validation = run.result.validation else { return (0, 0) }
        return (validation.numberAccuracy, -validation.loss)
    }

    /// - Parameter runs: at least one.
    public init(name: String, variant: String? = nil, runs: [FinishedRun]) {
        precondition(!runs.isEmpty, "a group without runs has no best one")
        (self.name, self.variant, self.runs) = (name, variant, runs)
    }

    /// The same, told from others of its name.
    fileprivate func named(after folder: String) -> RunGroup {
        var group = RunGroup(name: "\(name) (\(folder))", variant: variant, runs: runs)
        group.folder = folder
        return group
    }

    /// Accuracies on the test set that models are judged by; `full` is that of the head for the whole number.
    public enum Metric: String, CaseIterable, Sendable {
        case number, tens, ones, full, track

        /// A column's heading.
        public var title: String {
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

    public func summary(_ metric: Metric) -> Summary {
        Summary(runs.compactMap { $0.result.test.flatMap { metric.proportion($0)?.value } })
    }

    /// Loss on the test set, over runs.
    public var loss: Summary { Summary(runs.compactMap(\.result.test?.loss)) }

    /// Weights of the losses of tens, ones and full number, whose sum a loss is; one of other weights may not be set against it.
    var lossWeights: [Double] {
        let training = runs[0].config.training
        return [training.tensWeight, training.onesWeight, training.fullWeight]
    }
}

/// The runs that words on a command line name.
public struct RunSelection: Sendable {
    public var groups: [RunGroup]
    /// What is wrong with runs that cannot be read; the others go on.
    public var problems: [String]

    /// - Parameter paths: run folders, and folders of experiments. A name that two groups claim is followed by a folder's.
    /// - Throws: `FileError` for a folder that is neither, or when no run is finished.
    public init(_ paths: [String]) throws {
        var found: [(path: String, group: RunGroup)] = []
        var single: [(path: String, run: FinishedRun)] = []
        var problems: [String] = []
        var seen: Set<String> = []
        for path in paths where seen.insert(URL(fileURLWithPath: path).standardizedFileURL.path).inserted {
            let url = URL(fileURLWithPath: path)
            let folder = ExperimentFolder(url)
            if folder.exists {
                let (groups, wrong) = try folder.groups()
                found += groups.map { (path, $0) }
                problems += wrong
            } else if FileManager.default.fileExists(atPath: RunFolder(url).config.path) {
                single.append((path, try FinishedRun(RunFolder(url))))
            } else {
                throw FileError(
                    path, "is neither a run folder (no config.json) nor an experiment's folder (no experiment.json)",
                    advice: "name what `jersey train --run` or `jersey experiment run --out` has written")
            }
        }
        found += Self.groups(of: single)
        guard !found.isEmpty else {
            throw FileError(
                paths.joined(separator: ", "), "has no finished run" + (problems.first.map { "; \($0)" } ?? ""),
                advice: "finish it with `jersey experiment run`")
        }
        let claims = Dictionary(grouping: found, by: \.group.name)
        groups = found.map { path, group in
            claims[group.name]!.count == 1 ? group : group.named(after: path)
        }
        self.problems = problems
    }

    /// Runs whose configurations differ in the seed alone belong together.
    private static func groups(of runs: [(path: String, run: FinishedRun)]) -> [(path: String, group: RunGroup)] {
        var order: [RunConfig] = []
        var members: [[(path: String, run: FinishedRun)]] = []
        for (path, run) in runs {
            var config = run.config
            config.seed = 0
            if let place = order.firstIndex(of: config) {
                members[place].append((path, run))
            } else {
                order.append(config)
                members.append([(path, run)])
            }
        }
        return members.map { ($0[0].path, RunGroup(name: $0[0].run.title, runs: $0.map(\.run))) }
    }

    /// Keeps the groups of these names, in the order given.
    ///
    /// - Throws: `UsageError` with close matches.
    public mutating func keep(_ names: [String]) throws {
        guard !names.isEmpty else { return }
        try UsageError.checkUnique(names, kind: "model")
        groups = try names.map(group)
    }

    /// The group of that name; a variant's own name is enough where only one model has it.
    ///
    /// - Throws: `UsageError` with close matches.
    public func group(_ name: String) throws -> RunGroup {
        let canonical = (try? ModelSpec.named(name).name) ?? name
        let variants = groups.filter { $0.variant == name }
        if let group = groups.first(where: { [name, canonical].contains($0.name) }) ?? (variants.count == 1 ? variants[0] : nil) {
            return group
        }
        let known = groups.map(\.name)
        throw UsageError.unknown(
            "model", name, among: known + groups.compactMap(\.variant),
            advice: "finished runs there are of: \(known.joined(separator: ", "))")
    }

    /// Groups by their validation accuracy, best first.
    public var ranked: [RunGroup] { RunGroup.ranked(groups) }
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
}

extension ExperimentFolder {
    /// Finished runs by model and variant, in the experiment's order, and what is wrong with those that cannot be read.
    public func groups() throws -> (groups: [RunGroup], problems: [String]) {
        let (runs, problems) = try finishedRuns()
        let planned = try experiment().runs()
        let names = Dictionary(planned.map { ($0.id, $0.group) }, uniquingKeysWith: { first, _ in first })
        var order: [(name: String, variant: String?)] = []
        for run in planned where !order.contains(where: { $0.name == run.group }) { order.append((run.group, run.variant)) }
        let members = Dictionary(grouping: runs) { names[$0.id] ?? "" }
        let groups = order.compactMap { name, variant in
            members[name].map { RunGroup(name: name, variant: variant, runs: $0) }
        }
        return (groups, problems)
    }
}
