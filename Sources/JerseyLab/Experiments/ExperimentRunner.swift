import Foundation
import Jersey
import JerseyOutput

/// Receives messages and status from a running experiment.
package protocol ExperimentObserver: AnyObject {
    /// Shows a message to the user.
    func say(_ text: String)
    /// Called at every poll; the observer decides how often to show it.
    func didLook(_ status: ExperimentStatus)
}

/// Completes all runs of an experiment. It keeps finished runs, continues interrupted ones, and
/// retries failed ones once.
///
/// The run folders are authoritative. The table of runs is derived from them, and errors in it do
/// not stop the runs.
package final class ExperimentRunner {
    package enum Ending: Sendable, Equatable {
        case finished
        /// This many runs failed twice; all others are finished.
        case failed(Int)
        /// Stopped on request; active runs saved their state.
        case stopped
    }

    private let folder: ExperimentFolder
    private let plan: [PlannedRun]
    private let launcher: any Launcher
    private let observer: any ExperimentObserver
    private let shouldStop: () -> Bool
    private var status: ExperimentStatus
    private var table: RunTable
    private var lock: FolderLock?
    /// Consecutive failures of each run without progress, and the epoch of the last one.
    private var failures: [String: (count: Int, epoch: Int)] = [:]

    private static let attempts = 2

    /// - Parameters:
    ///   - ids: the runs to complete; nil for all. Their settings come from the folder.
    ///   - lock: the lock from `begin`; if nil, `run` takes it.
    ///   - jobs: number of concurrent runs, used to estimate the remaining time.
    package init(
        _ folder: ExperimentFolder, only ids: Set<String>? = nil, holding lock: FolderLock? = nil,
        launcher: any Launcher,
        jobs: Int,
        observer: any ExperimentObserver, shouldStop: @escaping () -> Bool = { false }
    ) throws {
        self.folder = folder
        self.lock = lock
        plan = try folder.experiment().runs().filter { ids?.contains($0.id) ?? true }
        self.launcher = launcher
        self.observer = observer
        self.shouldStop = shouldStop
        status = ExperimentStatus(runs: plan.map(ExperimentStatus.Run.init), jobs: jobs)
        table = RunTable(folder, observer)
    }

    /// Runs until everything is done or `shouldStop` returns true.
    ///
    /// - Throws: if another process runs the experiment, or runs cannot be started.
    package func run() throws -> Ending {
        if lock == nil { lock = try folder.lock() }
        defer { lock = nil }
        table.open(plan)
        for index in plan.indices {
            status.runs[index].look(at: folder.run(plan[index].id), thoroughly: true)
            table.note(status.runs[index])
        }
        let kept = status.count(.finished)
        if kept > 0 { observer.say("\(kept) of \(plan.count) runs are already finished") }
        for run in status.runs {
            if let reason = run.reason { observer.say("\(run.id): \(reason); it will be tested again") }
        }
        defer { table.close() }
        return try loop()
    }

    private func loop() throws -> Ending {
        failures = [:]
        var waiting = plan.filter { state(of: $0.id) != .finished }
        var running = Set(try launcher.adopt(waiting))
        for id in running { mark(id, .running) }
        waiting.removeAll { running.contains($0.id) }
        var nextLook = ContinuousClock.now
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
                if isToBeTriedAgain(task) { waiting += plan.filter { $0.id == task.id } }
            }
            // Runs write their progress about once a second. Polling more often would cost more
            // than everything else here.
            let isOver = waiting.isEmpty && running.isEmpty
            if isOver || ContinuousClock.now >= nextLook {
                nextLook = .now + .seconds(1)
                look()
            }
            if isOver { break }
            Thread.sleep(forTimeInterval: launcher.interval.seconds)
        }
        let failed = status.count(.failed)
        return failed == 0 ? .finished : .failed(failed)
    }

    /// Records an ended task. Returns whether to retry it; a failed run is retried once.
    private func isToBeTriedAgain(_ task: EndedTask) -> Bool {
        let reason = task.reason ?? "it ended without a result"
        conclude(task.id, reason: reason)
        guard state(of: task.id) == .failed else { return false }
        // A cluster's time limit can end a long run many times. A run that made progress starts
        // counting again.
        let epoch = status.runs[index(of: task.id)].progress?.epoch ?? 0
        let count = failures[task.id].map { epoch > $0.epoch ? 1 : $0.count + 1 } ?? 1
        failures[task.id] = (count, epoch)
        let isLast = task.isCancelled || count >= Self.attempts
        observer.say("\(task.id) failed: \(reason)\(isLast ? "" : "; retrying once")")
        return !isLast
    }

    /// Polls the progress of active runs.
    private func look() {
        for index in status.runs.indices where status.runs[index].state == .running {
            status.runs[index].progress = RunProgress(contentsOf: folder.run(status.runs[index].id).progress)
            table.note(status.runs[index])
        }
        observer.didLook(status)
    }

    // MARK: States

    private func index(of id: String) -> Int { plan.firstIndex { $0.id == id } ?? 0 }

    private func state(of id: String) -> RunState { status.runs[index(of: id)].state }

    private func mark(_ id: String, _ state: RunState) {
        status.runs[index(of: id)].state = state
        status.runs[index(of: id)].reason = nil
        table.note(status.runs[index(of: id)], begins: state == .running)
    }

    /// Determines the state of a run whose task ended, from its folder.
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
            observer.say(
                "\(id) finished: test accuracy \(Format.percent(accuracy, places: 2)), \(Int(clamping: seconds)) s"
            )
        }
    }
}
