import Foundation
import Jersey

/// The runs that command-line arguments name.
package struct RunSelection: Sendable {
    package var groups: [RunGroup]
    /// A message for each run that cannot be read and is skipped.
    package var problems: [String]

    /// - Parameter paths: run and experiment folders. If two groups have the same name, the
    ///   folder's name is appended.
    /// - Throws: `FileError` if a folder is neither, or no run is finished.
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
                    path,
                    "is neither a run folder (no config.json) nor an experiment folder (no experiment.json)",
                    advice: "name a folder that `jersey train --run` or `jersey experiment run --out` wrote")
            }
        }
        found += Self.groups(of: single)
        guard !found.isEmpty else {
            throw FileError(
                paths.joined(separator: ", "),
                "has no finished run" + (problems.first.map { "; \($0)" } ?? ""),
                advice: "finish it with `jersey experiment run`")
        }
        let claims = Dictionary(grouping: found, by: \.group.name)
        groups = found.map { path, group in
            claims[group.name]!.count == 1 ? group : group.named(after: path)
        }
        self.problems = problems
    }

    /// Groups runs whose configurations differ only in the seed.
    private static func groups(of runs: [(path: String, run: FinishedRun)]) -> [(
        path: String, group: RunGroup
    )] {
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

    /// Keeps the groups with these names, in this order.
    ///
    /// - Throws: `UsageError` with close matches.
    package mutating func keep(_ names: [String]) throws {
        guard !names.isEmpty else { return }
        try UsageError.checkUnique(names, kind: "model")
        groups = try names.map(group)
    }

    /// The group with this name. A variant's name suffices if only one model has it.
    ///
    /// - Throws: `UsageError` with close matches.
    package func group(_ name: String) throws -> RunGroup {
        let canonical = (try? ModelSpec.named(name).name) ?? name
        let variants = groups.filter { $0.variant == name }
        if let group = groups.first(where: { [name, canonical].contains($0.name) })
            ?? (variants.count == 1 ? variants[0] : nil)
        {
            return group
        }
        let known = groups.map(\.name)
        throw UsageError.unknown(
            "model", name, among: known + groups.compactMap(\.variant),
            advice: "models with finished runs: \(known.joined(separator: ", "))")
    }

    /// Groups by validation accuracy, best first.
    package var ranked: [RunGroup] { RunGroup.ranked(groups) }
}

extension ExperimentFolder {
    /// Finished runs grouped by model and variant, in the experiment's order, and a message for
    /// each unreadable run.
    package func groups() throws -> (groups: [RunGroup], problems: [String]) {
        let (runs, problems) = try finishedRuns()
        let planned = try experiment().runs()
        let names = Dictionary(planned.map { ($0.id, $0.group) }, uniquingKeysWith: { first, _ in first })
        var order: [(name: String, variant: String?)] = []
        for run in planned where !order.contains(where: { $0.name == run.group }) {
            order.append((run.group, run.variant))
        }
        let members = Dictionary(grouping: runs) { names[$0.id] ?? "" }
        let groups = order.compactMap { name, variant in
            members[name].map { RunGroup(name: name, variant: variant, runs: $0) }
        }
        return (groups, problems)
    }
}
