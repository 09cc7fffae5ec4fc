import Foundation
import Jersey

/// The files of an experiment: its definition, a folder per run, and a table of all runs.
package struct ExperimentFolder: Sendable {
    package let url: URL

    package init(_ url: URL) {
        self.url = url
    }

    /// The complete definition.
    package var definition: URL { url.appendingPathComponent("experiment.json") }
    /// The table that `jersey runs` reads. It can be rebuilt from the run folders.
    package var database: URL { url.appendingPathComponent("runs.sqlite") }

    package func run(_ id: String) -> RunFolder {
        RunFolder(url.appendingPathComponent("runs").appendingPathComponent(id))
    }

    package var exists: Bool { FileManager.default.fileExists(atPath: definition.path) }

    /// - Throws: `FileError` or `UsageError` that names the file.
    package func experiment() throws -> Experiment {
        guard exists else {
            throw FileError(url.path, "is not an experiment folder: it has no experiment.json")
        }
        do {
            return try Experiment(
                yaml: String(contentsOf: definition, encoding: .utf8), source: definition.path)
        } catch let error as UsageError {
            throw error
        } catch {
            throw FileError(definition.path, doing: "read the experiment", error: error)
        }
    }

    /// Begins or continues an experiment. Writes the definition if it does not contradict an
    /// existing one.
    ///
    /// An experiment can grow (more models, seeds or variants) but not shrink, because finished
    /// runs stay. Their shared settings cannot change.
    /// - Returns: this process's lock on the experiment, for the runner.
    /// - Throws: `FileError` that names the first differing setting, or says that another process
    ///   runs the experiment.
    @discardableResult
    package func begin(_ experiment: Experiment) throws -> FolderLock {
        try FileManager.default.makeFolder(
            run("x").url.deletingLastPathComponent(), called: "the experiment folder", of: url)
        // Lock before writing: running tasks read the definition, and a refused call must not
        // change it.
        let lock = try lock()
        AtomicFile.removeLeftovers(in: url)
        if exists {
            let saved = try self.experiment()
            guard saved.variants.isEmpty == experiment.variants.isEmpty else {
                throw FileError(
                    url.path,
                    "holds an experiment \(saved.variants.isEmpty ? "without" : "with") variants, unlike \(experiment.name)",
                    advice: "use another --out folder")
            }
            let grown = saved.grown(by: experiment)
            // Existing runs must keep their settings, and new ones must get the requested ones.
            // Then all seeds of a group agree.
            let runs = Dictionary(
                try grown.runs().map { ($0.id, $0.config) }, uniquingKeysWith: { first, _ in first })
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
                "to continue, repeat the command, or give --out without an experiment; other settings need another folder"
        )
    }

    /// Locks the experiment for this process until the returned lock is released.
    ///
    /// - Throws: `FileError` if another process runs it.
    func lock() throws -> FolderLock {
        try FolderLock(
            lockFile,
            orElse: FileError(
                url.path, "another process runs this experiment", advice: "see `jersey experiment status`"))
    }

    private var lockFile: URL { url.appendingPathComponent("lock") }

    /// Whether a process is running the experiment.
    package var isRunning: Bool { FolderLock.isHeld(lockFile) }

    /// Copies another run's split to a published run that has none, if jersey drew that split its
    /// own way. Experiments that older versions began do not have the study's draws; all their runs
    /// keep using the same split.
    ///
    /// - Throws: `FileError` if it cannot be written.
    package func shareSplit(with planned: PlannedRun) throws {
        let folder = run(planned.id)
        guard planned.config.published, planned.config.data.splits == nil, !folder.exists(folder.splits)
        else { return }
        let others = try experiment().runs().filter(\.config.published).map { run($0.id).splits }
        let known = others.lazy.compactMap { try? Splits(contentsOf: $0) }
        if let splits = known.first(where: {
            $0.origin?.published == nil && $0.wasMade(with: planned.config.data)
        }) {
            try folder.create()
            try splits.write(to: folder.splits)
        }
    }

    /// The finished runs, and a message for each run that cannot be read or has other settings.
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
                        "has \(setting.key) = \(setting.text(in: run.config)), but the experiment has "
                            + setting.text(in: planned.config),
                        advice: "remove the run folder and train again")
                }
                runs.append(run)
            } catch {
                problems.append("\(error)")
            }
        }
        return (runs, problems)
    }
}
