import Foundation
import Jersey
import Torch

/// What an experiment tells while it runs.
public protocol ExperimentObserver: AnyObject {
    /// A sentence for the user.
    func say(_ text: String)
    /// At every look; the observer decides how often it shows it.
    func didLook(_ status: ExperimentStatus)
}

/// Brings all runs of an experiment to their end: finished ones are kept, interrupted ones go on, failed ones are tried once more.
///
/// The run folders are the truth. The table of runs follows them, and whatever happens to it, the runs go on.
public final class ExperimentRunner {
    public enum Ending: Sendable, Equatable {
        case finished
        /// Some runs have failed, twice each; the others are finished.
        case failed(Int)
        /// Stopped when asked to; runs at work have saved their state.
        case stopped
    }

    private let folder: ExperimentFolder
    private let plan: [PlannedRun]
    private let launcher: any Launcher
    private let observer: any ExperimentObserver
    private let shouldStop: () -> Bool
    private var status: ExperimentStatus
    private var table: RunTable

    private static let attempts = 2

    /// - Parameter jobs: runs at once, for the estimate of the time that is left.
    public init(
        _ folder: ExperimentFolder, launcher: any Launcher, jobs: Int, observer: any ExperimentObserver,
        shouldStop: @escaping () -> Bool = { false }
    ) throws {
        self.folder = folder
        plan = try folder.experiment().runs()
        self.launcher = launcher
        self.observer = observer
        self.shouldStop = shouldStop
        status = ExperimentStatus(runs: plan.map(ExperimentStatus.Run.init), jobs: jobs)
        table = RunTable(folder, observer)
    }

    /// Runs until all is done, or until asked to stop.
    ///
    /// - Throws: when the experiment is run by another process, or runs cannot be started at all.
    public func run() throws -> Ending {
        let lock = try folder.lock()
        defer { withExtendedLifetime(lock) {} }
        table.open(plan)
        for index in plan.indices {
            status.runs[index].look(at: folder.run(plan[index].id), thoroughly: true)
            table.note(status.runs[index])
        }
        let kept = status.count(.finished)
        if kept > 0 { observer.say("\(kept) of \(plan.count) runs are finished already") }
        for run in status.runs {
            if let reason = run.reason { observer.say("\(run.id): \(reason); it is tested anew") }
        }
        defer { table.close() }
        return try loop()
    }

    private func loop() throws -> Ending {
        var failures: [String: (count: Int, epoch: Int)] = [:]
        var waiting = plan.filter { state(of: $0.id) != .finished }
        var running = Set(try launcher.adopt(waiting))
        for id in running { mark(id, .running) }
        waiting.removeAll { running.contains($0.id) }
        while true {
            if shouldStop() {
                defer { for id in running { conclude(id) } }
                try launcher.stop()
                return .stopped
            }
            if !waiting.isEmpty {
                let started = Set(try launcher.start(waiting))
                running.formUnion(started)
                waiting.removeAll { started.contains($0.id) }
                for id in started { mark(id, .running) }
            }
            for task in try launcher.ended() {
                running.remove(task.id)
                let reason = task.reason ?? "it ended without a result"
                conclude(task.id, reason: reason)
                guard state(of: task.id) == .failed else { continue }
                // A cluster with a time limit ends a long run again and again: one that gets further has not failed twice.
                let epoch = status.runs[index(of: task.id)].progress?.epoch ?? 0
                let last = failures[task.id]
                let count = last.map { epoch > $0.epoch ? 1 : $0.count + 1 } ?? 1
                failures[task.id] = (count, epoch)
                let isLast = task.isCancelled || count >= Self.attempts
                observer.say("\(task.id) failed: \(reason)\(isLast ? "" : "; it will be tried once more")")
                if !isLast { waiting += plan.filter { $0.id == task.id } }
            }
            for index in status.runs.indices where status.runs[index].state == .running {
                status.runs[index].progress = RunProgress(contentsOf: folder.run(status.runs[index].id).progress)
                table.note(status.runs[index])
            }
            observer.didLook(status)
            if waiting.isEmpty && running.isEmpty { break }
            Thread.sleep(forTimeInterval: launcher.interval.seconds)
        }
        let failed = status.count(.failed)
        return failed == 0 ? .finished : .failed(failed)
    }

    // MARK: States

    private func index(of id: String) -> Int { plan.firstIndex { $0.id == id } ?? 0 }

    private func state(of id: String) -> RunState { status.runs[index(of: id)].state }

    private func mark(_ id: String, _ state: RunState) {
        status.runs[index(of: id)].state = state
        status.runs[index(of: id)].reason = nil
        table.note(status.runs[index(of: id)], begins: state == .running)
    }

    /// What has become of a run whose task is over: its folder tells.
    private func conclude(_ id: String, reason: String? = nil) {
        let index = index(of: id)
        status.runs[index].look(at: folder.run(id))
        if status.runs[index].state != .finished, let reason {
            status.runs[index].state = .failed
            status.runs[index].reason = reason
        }
        table.note(status.runs[index])
        if let accuracy = status.runs[index].accuracy {
            let seconds = status.runs[index].seconds ?? 0
            observer.say("\(id) finished: \(String(format: "%.2f%%", accuracy * 100)) of test sequences, \(Int(seconds)) s")
        }
    }
}

/// Keeps the table of runs up to date, as far as the disk allows.
private struct RunTable {
    private let folder: ExperimentFolder
    private let observer: any ExperimentObserver
    private var database: RunDatabase?
    /// As planned.
    private var order: [String] = []
    private var records: [String: RunRecord] = [:]
    /// What the table does not have yet.
    private var pending: Set<String> = []
    /// Epochs of each run that are in the table.
    private var epochs: [String: Int] = [:]
    private var hasComplained = false
    private var hasTakenOver = false
    /// After something went wrong: not before this is it worth another try, which may have to wait for a lock.
    private var nextTry = ContinuousClock.now
    private let commit = SourceRevision.current
    private let host = ProcessInfo.processInfo.hostName

    init(_ folder: ExperimentFolder, _ observer: any ExperimentObserver) {
        self.folder = folder
        self.observer = observer
    }

    mutating func open(_ plan: [PlannedRun]) {
        order = plan.map(\.id)
        records = Dictionary(plan.map { ($0.id, RunRecord($0)) }, uniquingKeysWith: { first, _ in first })
        flush()
    }

    /// Writes what has changed of a run.
    ///
    /// - Parameter begins: an attempt begins here and now.
    mutating func note(_ run: ExperimentStatus.Run, begins: Bool = false) {
        guard var record = records[run.id] else { return }
        let files = folder.run(run.id)
        if begins {
            record.attempts += 1
            record.started = record.started ?? Date()
            (record.host, record.commit) = (host, commit)
        }
        record.state = run.state.rawValue
        record.reason = run.reason
        if run.state == .finished, record.result == nil, let result = try? FinishedRun.result(in: files) {
            record.take(result)
            // Where the table is made anew, the run may have finished long ago.
            let written = try? FileManager.default.attributesOfItem(atPath: files.result.path)[.modificationDate] as? Date
            record.finished = record.finished ?? written ?? Date()
        }
        // A new epoch shows in the progress.
        let hasRows = run.state != .waiting && (run.state != .running || (run.progress?.epoch ?? 0) > (epochs[run.id] ?? 0) + 1)
        if record != records[run.id] || hasRows { pending.insert(run.id) }
        records[run.id] = record
        flush()
    }

    mutating func close() {
        nextTry = .now
        flush()
        if !pending.isEmpty {
            observer.say("the table of runs is not up to date; the next `jersey experiment run` makes it so")
        }
        database = nil
    }

    /// The table is a convenience: what goes wrong with it is said once, and the runs go on.
    private mutating func flush() {
        guard database == nil || !pending.isEmpty, ContinuousClock.now >= nextTry else { return }
        do {
            let database = try database ?? reopen()
            for id in pending.sorted() {
                guard let record = records[id] else { continue }
                let rows: [EpochMetrics] =
                    record.state == RunState.waiting.rawValue ? [] : (try? FinishedRun.rows(at: folder.run(id).metrics)) ?? []
                let done = epochs[id] ?? 0
                try database.save(record, epochs: rows.dropFirst(done))
                epochs[id] = max(rows.count, done)
                pending.remove(id)
            }
        } catch {
            database = nil
            nextTry = .now + .seconds(30)
            guard !hasComplained else { return }
            hasComplained = true
            let what = error is FileError ? "\(error)" : "\(folder.database.path): \(RunDatabase.words(error))"
            observer.say("warning: \(what); the runs go on without the table")
        }
    }

    /// Opens the database, enters all runs, and takes over what only it knows of them.
    private mutating func reopen() throws -> RunDatabase {
        let (database, aside) = try RunDatabase.open(folder.database)
        if let aside {
            observer.say(
                "\(folder.database.path) was broken and is now \(aside.lastPathComponent); it is made anew from the run folders")
        }
        if !hasTakenOver {
            for old in try database.runs() {
                guard var record = records[old.id] else { continue }
                record.attempts += old.attempts
                (record.started, record.finished) = (old.started ?? record.started, old.finished ?? record.finished)
                (record.host, record.commit) = (record.host ?? old.host, record.commit ?? old.commit)
                records[old.id] = record
            }
        }
        try database.save(order.compactMap { records[$0] })
        hasTakenOver = true
        epochs = [:]
        pending = Set(records.keys)
        self.database = database
        return database
    }
}
