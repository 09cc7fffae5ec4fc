import Foundation
import Jersey

/// Where a run is.
package enum RunState: String, Codable, Sendable, CaseIterable {
    case waiting, running
    /// Begun, and at work nowhere; it will go on where it was.
    case interrupted
    case finished, failed
}

/// All runs of an experiment at one moment.
package struct ExperimentStatus: Sendable, Equatable, Encodable {
    package struct Run: Sendable, Equatable, Encodable {
        package let id: String
        package let group: String
        package let seed: UInt64
        package var state: RunState
        package var progress: RunProgress?
        /// Share of test sequences that were read right, where the run is finished.
        package var accuracy: Double?
        /// How long training took, where the run is finished.
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
    /// Runs that go on at once.
    package var jobs: Int

    package func count(_ state: RunState) -> Int { runs.count { $0.state == state } }

    /// Seconds until all runs are done, from those that are done or at work: a run takes as long as others of its model, or else
    /// as the mean model. Nil while there is nothing to go by.
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
    /// As the run folders tell, for whoever looks from outside.
    package init(_ folder: ExperimentFolder) throws {
        let isRunning = folder.isRunning
        let records = (try? RunDatabase(reading: folder.database).runs()) ?? []
        let known = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        runs = try folder.experiment().runs().map { planned in
            var run = Run(planned)
            run.look(at: folder.run(planned.id))
            let record = known[planned.id]
            // A cluster's tasks go on when whoever submitted them is gone.
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
    /// The rows of all runs, with the state that the folders tell: the table may be of a process that is gone.
    ///
    /// - Throws: `FileError` when there is no table, or it cannot be read.
    package func records() throws -> [RunRecord] {
        var records = try RunDatabase(experiment: url.path).runs()
        let runs = Dictionary(try ExperimentStatus(self).runs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for index in records.indices {
            if let run = runs[records[index].id] { records[index].state = run.state.rawValue }
        }
        return records
    }
}

extension ExperimentStatus.Run {
    /// Takes over what the folder tells: finished, begun, or not there.
    ///
    /// - Parameter thoroughly: a finished run's rows count as well, not its result alone.
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
                // What to do about it is up to whoever looks.
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
