import Foundation
import Jersey

/// The files of an experiment: its definition, a folder for every run, and a table of all runs.
package struct ExperimentFolder: Sendable {
    package let url: URL

    package init(_ url: URL) {
        self.url = url
    }

    /// The experiment, complete, as it runs.
    package var definition: URL { url.appendingPathComponent("experiment.json") }
    /// What `jersey runs` reads; can be made again from the run folders.
    package var database: URL { url.appendingPathComponent("runs.sqlite") }

    package func run(_ id: String) -> RunFolder {
        RunFolder(url.appendingPathComponent("runs").appendingPathComponent(id))
    }

    package var exists: Bool { FileManager.default.fileExists(atPath: definition.path) }

    /// - Throws: `FileError` or `UsageError` that names the file.
    package func experiment() throws -> Experiment {
        guard exists else {
            throw FileError(url.path, "is not an experiment's folder: it has no experiment.json")
        }
        do {
            return try Experiment(yaml: String(contentsOf: definition, encoding: .utf8), source: definition.path)
        } catch let error as UsageError {
            throw error
        } catch {
            throw FileError(definition.path, doing: "read the experiment", error: error)
        }
    }

    /// Begins or continues: writes the definition, where it does not contradict one that is there.
    ///
    /// An experiment grows (more models, seeds or variants) and never shrinks, since what was trained is there; what its runs have in
    /// common stays.
    /// - Returns: the lock that holds the experiment for this process, for the runner.
    /// - Throws: `FileError` that names the first setting that differs, or says that another process runs it.
    @discardableResult
    package func begin(_ experiment: Experiment) throws -> FolderLock {
        try FileManager.default.makeFolder(run("x").url.deletingLastPathComponent(), called: "the experiment's folder", of: url)
        // Tasks read the definition, and what a call that is refused would have written nobody wants.
        let lock = try lock()
        AtomicFile.removeLeftovers(in: url)
        if exists {
            let saved = try self.experiment()
            guard saved.variants.isEmpty == experiment.variants.isEmpty else {
                throw FileError(
                    url.path,
                    "has an experiment \(saved.variants.isEmpty ? "without" : "with") variants, unlike \(experiment.name)",
                    advice: "use another --out folder")
            }
            let grown = saved.grown(by: experiment)
            // What is there stays as it is, and what comes is what was asked for; then all seeds of a group have the same settings.
            let runs = Dictionary(try grown.runs().map { ($0.id, $0.config) }, uniquingKeysWith: { first, _ in first })
            for old in try saved.runs() { try check(runs[old.id], continues: old.config) }
            for new in try experiment.runs() {
                if let run = runs[new.id] { try check(new.config, continues: run) }
            }
            if grown != saved { try RunFolder.write(grown, to: definition) }
        } else {
            try RunFolder.write(experiment, to: definition)
        }
        return lock
    }

    private func check(_ config: RunConfig?, continues saved: RunConfig) throws {
        try config?.checkContinues(
            saved, path: url.path,
            advice:
                "the same call goes on, and so does one that names --out and no experiment; other settings need another folder")
    }

    /// Holds the experiment for this process until the returned lock is released.
    ///
    /// - Throws: `FileError` when another process runs it.
    func lock() throws -> FolderLock {
        try FolderLock(
            lockFile,
            orElse: FileError(url.path, "another process runs this experiment", advice: "`jersey experiment status` shows it"))
    }

    private var lockFile: URL { url.appendingPathComponent("lock") }

    /// Whether some process runs the experiment now.
    package var isRunning: Bool { FolderLock.isHeld(lockFile) }

    /// Gives a published run that has no split yet that of a run beside it, where jersey has drawn it in its own way: an experiment that was
    /// begun before the study's draws were known goes on with the split that it has.
    ///
    /// - Throws: `FileError` when it cannot be written.
    package func shareSplit(with planned: PlannedRun) throws {
        let folder = run(planned.id)
        guard planned.config.published, planned.config.data.splits == nil, !folder.exists(folder.splits) else { return }
        let others = try experiment().runs().filter(\.config.published).map { run($0.id).splits }
        let known = others.lazy.compactMap { try? Splits(contentsOf: $0) }
        if let splits = known.first(where: { $0.origin?.published == nil && $0.wasMade(with: planned.config.data) }) {
            try folder.create()
            try splits.write(to: folder.splits)
        }
    }

    /// The folders of finished runs, and what is wrong with those that cannot be read, or were made with other settings.
    package func finishedRuns() throws -> (runs: [FinishedRun], problems: [String]) {
        var runs: [FinishedRun] = []
        var problems: [String] = []
        for planned in try experiment().runs() {
            let folder = run(planned.id)
            guard folder.exists(folder.result) else { continue }
            do {
                let run = try FinishedRun(folder)
                if let setting = planned.config.firstDifference(from: run.config) {
                    throw FileError(
                        folder.config.path,
                        "has \(setting.key) = \(setting.text(in: run.config)), and the experiment "
                            + setting.text(in: planned.config),
                        advice: "remove the run folder and train anew")
                }
                runs.append(run)
            } catch {
                problems.append("\(error)")
            }
        }
        return (runs, problems)
    }
}
