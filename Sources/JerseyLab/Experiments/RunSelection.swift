import Foundation
import Jersey

/// The runs that words on a command line name.
package struct RunSelection: Sendable {
    package var groups: [RunGroup]
    /// What is wrong with runs that cannot be read; the others go on.
    package var problems: [String]

    /// - Parameter paths: run folders, and folders of experiments. A name that two groups claim is followed by a folder's.
    /// - Throws: `FileError` for a folder that is neither, or when no run is finished.
    package init(_ paths: [String]) throws {
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
    package mutating func keep(_ names: [String]) throws {
        guard !names.isEmpty else { return }
        try UsageError.checkUnique(names, kind: "model")
        groups = try names.map(group)
    }

    /// The group of that name; a variant's own name is enough where only one model has it.
    ///
    /// - Throws: `UsageError` with close matches.
    package func group(_ name: String) throws -> RunGroup {
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
    package var ranked: [RunGroup] { RunGroup.ranked(groups) }
}

extension ExperimentFolder {
    /// Finished runs by model and variant, in the experiment's order, and what is wrong with those that cannot be read.
    package func groups() throws -> (groups: [RunGroup], problems: [String]) {
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
