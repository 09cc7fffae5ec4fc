import Foundation
import Jersey
import JerseyOutput

/// What an experiment tells while it runs.
package protocol ExperimentObserver: AnyObject {
    /// A sentence for the user.
    func say(_ text: String)
    /// At every look; the observer decides how often it shows it.
    func didLook(_ status: ExperimentStatus)
}

/// Brings all runs of an experiment to their end: finished ones are kept, interrupted ones go on, failed ones are tried once more.
///
/// The run folders are the truth. The table of runs follows them, and whatever happens to it, the runs go on.
package final class ExperimentRunner {
    package enum Ending: Sendable, Equatable {
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
    private var lock: FolderLock?
    /// How often each run has failed without getting further, and in which epoch the last time.
    private var failures: [String: (count: Int, epoch: Int)] = [:]

    private static let attempts = 2

    /// - Parameters:
    ///   - ids: the runs to do; all of the experiment where nil. Their settings are the folder's.
    ///   - lock: what `begin` returned; taken by `run` where nil.
    ///   - jobs: runs at once, for the estimate of the time that is left.
    package init(
        _ folder: ExperimentFolder, only ids: Set<String>? = nil, holding lock: FolderLock? = nil, launcher: any Launcher,
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

    /// Runs until all is done, or until asked to stop.
    ///
    /// - Throws: when the experiment is run by another process, or runs cannot be started at all.
    package func run() throws -> Ending {
        if lock == nil { lock = try folder.lock() }
        defer { lock = nil }
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
            // Runs write their progress about once a second; looking more often would cost more than all else here.
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

    /// Takes note of a task that has ended. A run that failed is tried once more.
    private func isToBeTriedAgain(_ task: EndedTask) -> Bool {
        let reason = task.reason ?? "it ended without a result"
        conclude(task.id, reason: reason)
        guard state(of: task.id) == .failed else { return false }
        // A cluster with a time limit ends a long run again and again: one that gets further has not failed twice.
        let epoch = status.runs[index(of: task.id)].progress?.epoch ?? 0
        let count = failures[task.id].map { epoch > $0.epoch ? 1 : $0.count + 1 } ?? 1
        failures[task.id] = (count, epoch)
        let isLast = task.isCancelled || count >= Self.attempts
        observer.say("\(task.id) failed: \(reason)\(isLast ? "" : "; it will be tried once more")")
        return !isLast
    }

    /// How far the runs at work are.
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
            observer.say(
                "\(id) finished: \(Format.percent(accuracy, places: 2)) of test sequences, \(Int(clamping: seconds)) s")
        }
    }
}
