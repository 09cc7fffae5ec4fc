import Foundation
import Jersey

/// Keeps the table of runs up to date, and tolerates disk errors.
struct RunTable {
    private let folder: ExperimentFolder
    private let observer: any ExperimentObserver
    private var database: RunDatabase?
    /// Run ids in planned order.
    private var order: [String] = []
    private var records: [String: RunRecord] = [:]
    /// Runs with unsaved changes.
    private var pending: Set<String> = []
    /// Number of saved epochs per run.
    private var epochs: [String: Int] = [:]
    private var hasComplained = false
    private var hasTakenOver = false
    /// Earliest retry after an error. Each try may block on a lock.
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

    /// Writes a run's changes.
    ///
    /// - Parameter begins: whether an attempt begins now.
    mutating func note(_ run: ExperimentStatus.Run, begins: Bool = false) {
        guard var record = records[run.id] else { return }
        let files = folder.run(run.id)
        if begins {
            record.attempts += 1
            record.started = record.started ?? Date()
            record.host = host
            record.commit = commit
        }
        record.state = run.state.rawValue
        record.reason = run.reason
        if run.state == .finished, record.result == nil, let result = try? FinishedRun.result(in: files) {
            record.take(result)
            // When the table is rebuilt, the run may have finished long ago.
            let written =
                try? FileManager.default.attributesOfItem(atPath: files.result.path)[.modificationDate]
                as? Date
            record.finished = record.finished ?? written ?? Date()
        }
        // A higher epoch in the progress means new rows.
        let hasRows =
            run.state != .waiting
            && (run.state != .running || (run.progress?.epoch ?? 0) > (epochs[run.id] ?? 0) + 1)
        if record != records[run.id] || hasRows { pending.insert(run.id) }
        records[run.id] = record
        flush()
    }

    mutating func close() {
        nextTry = .now
        flush()
        if !pending.isEmpty {
            observer.say("the table of runs is out of date; the next `jersey experiment run` updates it")
        }
        database = nil
    }

    /// Saves pending changes. The table is a convenience: its errors are reported once, and the
    /// runs continue.
    private mutating func flush() {
        guard database == nil || !pending.isEmpty, ContinuousClock.now >= nextTry else { return }
        do {
            let database = try database ?? reopen()
            for id in pending.sorted() {
                guard var record = records[id] else { continue }
                let files = folder.run(id)
                let done = epochs[id] ?? 0
                var rows: [EpochMetrics] = []
                if record.state != RunState.waiting.rawValue {
                    rows = (try? FinishedRun.rows(at: files.metrics)) ?? []
                    // A run's settings never change, so reading them once is enough.
                    if done == 0, let config = try? RunConfig(overlays: [ConfigOverlay(file: files.config)]) {
                        record.take(config)
                        records[id] = record
                    }
                }
                try database.save(record, epochs: rows.dropFirst(done))
                epochs[id] = max(rows.count, done)
                pending.remove(id)
            }
        } catch {
            database = nil
            nextTry = .now + .seconds(30)
            guard !hasComplained else { return }
            hasComplained = true
            let what =
                error is FileError ? "\(error)" : "\(folder.database.path): \(RunDatabase.message(of: error))"
            observer.say("warning: \(what); the runs continue without the table")
        }
    }

    /// Opens the database, saves all runs, and keeps attempts, times, hosts and commits that only
    /// the database records.
    private mutating func reopen() throws -> RunDatabase {
        let (database, aside) = try RunDatabase.open(folder.database)
        if let aside {
            observer.say(
                "\(folder.database.path) was corrupt and is now \(aside.lastPathComponent); rebuilding it from the run folders"
            )
        }
        if !hasTakenOver {
            for old in try database.runs() {
                guard var record = records[old.id] else { continue }
                record.attempts += old.attempts
                record.started = old.started ?? record.started
                record.finished = old.finished ?? record.finished
                record.host = record.host ?? old.host
                record.commit = record.commit ?? old.commit
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
