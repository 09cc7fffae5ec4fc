import Foundation
import Jersey

/// The state of a run.
package enum RunState: String, Codable, Sendable, CaseIterable {
    case waiting, running
    /// Begun but not active; it will continue where it stopped.
    case interrupted
    case finished, failed
}

/// A snapshot of all runs of an experiment.
package struct ExperimentStatus: Sendable, Equatable, Encodable {
    package struct Run: Sendable, Equatable, Encodable {
        package let id: String
        package let group: String
        package let seed: UInt64
        package var state: RunState
        package var progress: RunProgress?
        /// Test accuracy of a finished run, 0...1.
        package var accuracy: Double?
        /// Training time of a finished run.
        package var seconds: Double?
        package var reason: String?

        init(_ run: PlannedRun) {
            id = run.id
            group = run.group
            seed = run.seed
            state = .waiting
        }
    }

    package var runs: [Run]
    /// Number of concurrent runs.
    package var jobs: Int

    package func count(_ state: RunState) -> Int { runs.count { $0.state == state } }

    /// Estimated seconds until all runs are done. It assumes that a run takes as long as finished
    /// and active runs of its model, or else as long as the mean model. Nil without such runs.
    package var remainingSeconds: Double? {
        var totals: [String: [Double]] = [:]
        for run in runs {
            if let seconds = run.seconds {
                totals[run.group, default: []].append(seconds)
            } else if let progress = run.progress, progress.share > 0.02 {
                totals[run.group, default: []].append(progress.seconds / progress.share)
            }
        }
        let means = totals.mapValues { $0.reduce(0, +) / Double($0.count) }
        guard !means.isEmpty else { return nil }
        let mean = means.values.sorted().reduce(0, +) / Double(means.count)
        let open = runs.filter { ![.finished, .failed].contains($0.state) }
        let work = open.reduce(0) { $0 + (means[$1.group] ?? mean) * (1 - ($1.progress?.share ?? 0)) }
        return work / Double(max(min(jobs, open.count), 1))
    }
}

extension ExperimentStatus {
    /// The status for other processes, derived from the run folders.
    package init(_ folder: ExperimentFolder) throws {
        let isRunning = folder.isRunning
        let records = (try? RunDatabase(reading: folder.database).runs()) ?? []
        let known = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        runs = try folder.experiment().runs().map { planned in
            var run = Run(planned)
            run.look(at: folder.run(planned.id))
            let record = known[planned.id]
            // Cluster tasks continue after the process that submitted them ends.
            if run.state == .interrupted, folder.run(planned.id).isAtWork { run.state = .running }
            switch RunState(rawValue: record?.state ?? "") {
            case .running where run.state == .interrupted && isRunning: run.state = .running
            case .failed where run.state == .running: break
            case .failed where run.state != .finished: (run.state, run.reason) = (.failed, record?.reason)
            default: break
            }
            return run
        }
        jobs = max(runs.count { $0.state == .running }, 1)
    }
}

extension ExperimentFolder {
    /// The rows of all runs. States come from the folders, because the process that wrote the table
    /// may have ended.
    ///
    /// - Throws: `FileError` if the table does not exist or cannot be read.
    package func records() throws -> [RunRecord] {
        var records = try RunDatabase(experiment: url.path).runs()
        let runs = Dictionary(
            try ExperimentStatus(self).runs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for index in records.indices {
            if let run = runs[records[index].id] { records[index].state = run.state.rawValue }
        }
        return records
    }
}

extension ExperimentStatus.Run {
    /// Updates the state from the run folder: finished, begun or absent.
    ///
    /// - Parameter thoroughly: whether a finished run's outcomes and metrics must also be readable,
    ///   not only its result.
    mutating func look(at folder: RunFolder, thoroughly: Bool = false) {
        if folder.exists(folder.result) {
            do {
                let result = try thoroughly ? FinishedRun(folder).result : FinishedRun.result(in: folder)
                state = .finished
                accuracy = result.test?.all.sequences.number.value
                seconds = result.seconds
                progress = nil
                reason = nil
            } catch {
                // Without the advice: it depends on the caller.
                state = .interrupted
                reason = (error as? FileError).map { "\($0.path): \($0.reason)" } ?? "\(error)"
            }
        } else if folder.exists(folder.config) {
            state = .interrupted
            progress = RunProgress(contentsOf: folder.progress)
        } else {
            state = .waiting
        }
    }
}
