import Foundation
import Jersey
import Synchronization

/// Each run a task of a job array on a Slurm cluster, which shares the experiment's folder with this machine.
///
/// The experiment's folder has `slurm/task.sh`, which every task executes, and for each array `1.runs`, a line for each task, and `1.job`,
/// Slurm's id of it. The array goes on without the launcher; the next launcher finds it by these files.
package final class SlurmLauncher: Launcher {
    /// A job array that may still be in the queue.
    private struct Submission {
        let number: Int
        /// Nil between the moment in which Slurm was asked, and that in which its answer was written down.
        var job: String?
        let runs: [String]
    }

    private struct Task {
        let job: String
        let index: Int
        var seen: Slurm.Task?
        /// Since when it is over, as seen from here.
        var over: ContinuousClock.Instant?
        /// Whether the runner knows that it has begun.
        var isAnnounced = false

        var hasBegun: Bool { seen.map { !$0.isWaiting } ?? (over != nil) }
    }

    /// Looks at the stop signal are frequent; those at Slurm are further apart.
    package let interval = Duration.milliseconds(200)

    private let executable: URL
    private let folder: ExperimentFolder
    private let name: String
    private let jobs: Int
    private let options: [String]
    private let say: (String) -> Void
    private let slurm = Slurm()

    private var submissions: [Submission] = []
    private var tasks: [String: Task] = [:]
    private var nextLook = ContinuousClock.now
    private var query: QueueQuery?
    /// Slurm has answered before; a silence is waited out from then on.
    private var hasAnswered = false
    private var isSilent = false
    private var reported: Set<String> = []

    /// The most tasks of an array: Slurm's own default limit.
    private static let mostTasks = 1000
    /// For a shared file system to show here what a task has written elsewhere.
    private static let patience = Duration.seconds(60)

    /// - Parameters:
    ///   - executable: the `jersey` program; the nodes have it at the same place.
    ///   - jobs: tasks at once.
    ///   - options: further arguments of `sbatch`; the array's size, name and comment stay as they are.
    ///   - say: takes sentences for the user.
    /// - Throws: when the experiment's definition cannot be read.
    package init(
        executable: URL, folder: ExperimentFolder, jobs: Int, options: [String] = [], say: @escaping (String) -> Void
    ) throws {
        self.executable = executable
        self.folder = folder
        name = try folder.experiment().name
        self.jobs = jobs
        self.options = options
        self.say = say
    }

    // MARK: Launcher

    package func adopt(_ runs: [PlannedRun]) throws -> [String] {
        submissions = try saved()
        try findLost()
        tasks = [:]
        let seen = try queue()
        let open = Set(runs.map(\.id))
        for submission in submissions {
            guard let job = submission.job else { continue }
            let alive = seen.filter { $0.job == job && !$0.isOver && $0.index < submission.runs.count }
            if alive.isEmpty { forget(submission) }
            for task in alive where open.contains(submission.runs[task.index]) {
                tasks[submission.runs[task.index]] = Task(job: job, index: task.index, seen: task)
            }
        }
        if !tasks.isEmpty {
            let jobs = Set(tasks.values.map(\.job)).sorted().joined(separator: ", ")
            say("\(tasks.count) run\(tasks.count == 1 ? " is" : "s are") still with Slurm (job \(jobs)), and not submitted again")
        }
        return announce()
    }

    /// Submits what is not yet with Slurm, and returns the runs that have begun: until then they wait, whether here or there.
    package func start(_ runs: [PlannedRun]) throws -> [String] {
        let new = runs.filter { tasks[$0.id] == nil }.prefix(Self.mostTasks)
        let hasRoom = tasks.values.allSatisfy(\.hasBegun) && tasks.values.count { $0.over == nil } < jobs
        if !new.isEmpty, hasRoom, !isSilent || .now >= nextLook {
            try patiently {
                try findLost()
                if new.allSatisfy({ tasks[$0.id] == nil }) { try submit(Array(new)) }
            }
        }
        return announce()
    }

    package func ended() throws -> [EndedTask] {
        try look()
        var ended: [EndedTask] = []
        for (id, task) in tasks where task.isAnnounced {
            guard let over = task.over, let end = end(of: id, task, over: over) else { continue }
            tasks[id] = nil
            ended.append(end)
        }
        let left = Set(tasks.values.map(\.job))
        submissions.filter { $0.job.map { !left.contains($0) } ?? false }.forEach(forget)
        return ended.sorted { $0.id < $1.id }
    }

    package func stop() throws {
        let jobs = submissions.compactMap(\.job)
        guard !jobs.isEmpty else { return }
        do {
            try slurm.cancel(jobs)
            // Slurm itself ends those that do not heed its signal.
            while try queue().contains(where: { !$0.isOver }) { Thread.sleep(forTimeInterval: 1) }
        } catch let failure as Slurm.Failure {
            let job = "job \(jobs.joined(separator: ", "))"
            throw Slurm.Failure(
                command: failure.command,
                message: failure.message + "; \(job) may still be at work: the same call watches it again, and `scancel` ends it")
        }
        submissions.forEach(forget)
    }

    // MARK: Submitting

    private func submit(_ runs: [PlannedRun]) throws {
        try write(Self.script(executable: executable, folder: folder), to: files.appendingPathComponent("task.sh"))
        let number = (submissions.map(\.number).max() ?? 0) + 1
        let submission = Submission(number: number, job: nil, runs: runs.map(\.id))
        try write(submission.runs.map { $0 + "\n" }.joined(), to: list(number))
        submissions.append(submission)
        do {
            let defaults = [
                "--output=\(files.path)/slurm.log", "--open-mode=append", "--requeue",
                "--cpus-per-task=\(runs.compactMap(\.config.training.threads).max() ?? 1)",
            ]
            // What the array is found by.
            let identity = ["--array=0-\(runs.count - 1)%\(jobs)", "--job-name=\(jobName(number))", "--comment=\(files.path)"]
            let job = try slurm.submit(
                defaults + options + identity + [files.appendingPathComponent("task.sh").path, list(number).path])
            try take(number, job)
            say("submitted \(runs.count) run\(runs.count == 1 ? "" : "s") as Slurm job \(job)")
        } catch let failure as Slurm.Failure where !failure.isSilence {
            forget(submission)
            throw failure
        }
    }

    /// What a task executes: `task.sh LIST`, where the list has the run of each task.
    static func script(executable: URL, folder: ExperimentFolder) -> String {
        """
        #!/bin/bash
        # One run of an experiment; `jersey experiment run` wrote this. $1 lists the runs: task 0 trains the first.
        set -eu
        folder=\(quoted(folder.url.path))
        run=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$1")
        mkdir -p "$folder/runs/$run"
        exec > /dev/null 2>> "$folder/runs/$run/log.txt"
        echo "$(date -u +%FT%TZ) \(Self.heading) ${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID on $(hostname)" >&2
        # Short waits of OpenMP's threads, as `jersey train` has them, unless the user has chosen.
        [ -n "\(ShortWaits.choices.map { "${\($0)+x}" }.joined())" ] || export \(ShortWaits.variable)=\(ShortWaits.turns)
        # In the shell's place, so that it gets the signals.
        exec \(quoted(executable.path)) experiment task "$folder" "$run"

        """
    }

    private static let heading = "Slurm task"

    private static func quoted(_ word: String) -> String { "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'" }

    /// Takes up a submission whose answer was not written down, or forgets it where Slurm does not know it.
    private func findLost() throws {
        for submission in submissions where submission.job == nil {
            if let job = try slurm.job(named: jobName(submission.number), comment: files.path) {
                try take(submission.number, job)
            } else {
                forget(submission)
            }
        }
    }

    private func take(_ number: Int, _ job: String) throws {
        guard let index = submissions.firstIndex(where: { $0.number == number }) else { return }
        submissions[index].job = job
        for (index, id) in submissions[index].runs.enumerated() { tasks[id] = Task(job: job, index: index) }
        nextLook = .now
        try write(job + "\n", to: answer(number))
    }

    // MARK: Watching

    private func look() throws {
        guard !tasks.isEmpty else { return }
        if query == nil, .now >= nextLook {
            let known = submissions.filter { $0.job != nil }
            query = QueueQuery(slurm, jobs: known.compactMap(\.job), names: known.map { jobName($0.number) })
        }
        guard let query, let answer = query.answer else { return }
        self.query = nil
        try patiently {
            let seen = Dictionary(try answer.get().map { ("\($0.job)_\($0.index)", $0) }, uniquingKeysWith: { first, _ in first })
            for (id, task) in tasks where query.jobs.contains(task.job) {
                let now = seen["\(task.job)_\(task.index)"]
                tasks[id]!.seen = now
                // What Slurm does not know any more is over.
                if now?.isOver ?? true { tasks[id]!.over = task.over ?? .now }
            }
            for task in seen.values where task.isWaiting { tell(task) }
            // A busy Slurm is asked less often.
            nextLook = .now + min(max((.now - query.start) * 10, .seconds(1)), .seconds(15))
        }
    }

    private func queue() throws -> [Slurm.Task] {
        let known = submissions.filter { $0.job != nil }
        let seen = try slurm.tasks(of: known.compactMap(\.job), names: known.map { jobName($0.number) })
        if !known.isEmpty { hasAnswered = true }
        return seen
    }

    /// Once for each reason that is more than other jobs being first.
    private func tell(_ task: Slurm.Task) {
        let ordinary = ["None", "Resources", "Priority", "JobArrayTaskLimit", "BeginTime", "Cleaning"]
        guard !ordinary.contains(task.why), reported.insert(task.why).inserted else { return }
        let name = "\(task.job)_\(task.index)"
        say("Slurm keeps task \(name) waiting (\(task.why)); `scontrol show job \(name)` tells more")
    }

    /// A controller that does not answer comes back, as a rule, and the tasks do not need it.
    private func patiently(_ body: () throws -> Void) throws {
        do {
            try body()
            if isSilent { say("Slurm answers again") }
            hasAnswered = true
            isSilent = false
        } catch let failure as Slurm.Failure where failure.isSilence && hasAnswered {
            if !isSilent { say("Slurm does not answer (\(failure.message)); the tasks go on, and it is asked again") }
            isSilent = true
            nextLook = .now + .seconds(5)
        }
    }

    private func announce() -> [String] {
        let begun = tasks.filter { $0.value.hasBegun && !$0.value.isAnnounced }.keys.sorted()
        for id in begun { tasks[id]!.isAnnounced = true }
        return begun
    }

    /// How a task that is over has ended; nil while its result may still be on its way here.
    private func end(of id: String, _ task: Task, over: ContinuousClock.Instant) -> EndedTask? {
        let run = folder.run(id)
        if run.exists(run.result) { return EndedTask(id: id, reason: nil) }
        guard let seen = task.seen else {
            return EndedTask(id: id, reason: lastWords(of: id) ?? "it left Slurm's queue without a result")
        }
        if seen.state == "COMPLETED" {
            guard .now - over > Self.patience else { return nil }
            return EndedTask(id: id, reason: "it left no result in \(run.url.path); does its node share that folder?")
        }
        return EndedTask(id: id, reason: Self.reason(seen, lastWords: lastWords(of: id)), isCancelled: seen.state == "CANCELLED")
    }

    /// Why a task did not end well.
    static func reason(_ task: Slurm.Task, lastWords: String?) -> String {
        switch task.state {
        case "CANCELLED": return "it was cancelled (scancel)"
        case "TIMEOUT", "DEADLINE": return "it reached its time limit; --sbatch \"--time=…\" gives it more"
        case "OUT_OF_MEMORY": return "it ran out of memory; --sbatch \"--mem=…\" gives it more"
        case "NODE_FAIL": return "its node failed"
        case "PREEMPTED": return "it made room for another job"
        default: break
        }
        let (signal, status) = (task.status & 0x7f, task.status >> 8)
        if signal != 0 { return "it was ended by signal \(signal)\(signal == SIGKILL ? "; was there enough memory?" : "")" }
        if status == 130 { return "it was told to stop, and saved" }
        return lastWords ?? (status == 0 ? "Slurm calls it \(task.state) (\(task.why))" : "exit status \(status)")
    }

    /// The last line that a task said, as far as it said anything.
    private func lastWords(of id: String) -> String? {
        guard let log = try? FileHandle(forReadingFrom: folder.run(id).log), let end = try? log.seekToEnd() else { return nil }
        try? log.seek(toOffset: end - min(end, 4096))
        let line = LastErrorLine.last(of: (try? log.readToEnd()) ?? Data())
        return line.isEmpty || line.hasPrefix(Self.heading) ? nil : line
    }

    // MARK: Files

    private var files: URL { folder.url.appendingPathComponent("slurm") }
    private func list(_ number: Int) -> URL { files.appendingPathComponent("\(number).runs") }
    private func answer(_ number: Int) -> URL { files.appendingPathComponent("\(number).job") }
    private func jobName(_ number: Int) -> String { "jersey-\(name)-\(number)" }

    private func write(_ text: String, to url: URL) throws {
        try FileManager.default.makeFolder(files)
        try AtomicFile.write(Data(text.utf8), to: url)
    }

    private func saved() throws -> [Submission] {
        func text(_ url: URL) throws -> String {
            do {
                return try String(contentsOf: url, encoding: .utf8)
            } catch {
                throw FileError(url.path, doing: "read", error: error)
            }
        }
        let names = FileNames.list(files.path) ?? []
        return try names.filter { $0.hasSuffix(".runs") }.compactMap { Int($0.dropLast(5)) }.sorted().map { number in
            let file = answer(number)
            let job = FileManager.default.fileExists(atPath: file.path) ? try text(file) : nil
            return Submission(
                number: number, job: job?.trimmingCharacters(in: .whitespacesAndNewlines),
                runs: try text(list(number)).split(separator: "\n").map(String.init))
        }
    }

    private func forget(_ submission: Submission) {
        submissions.removeAll { $0.number == submission.number }
        // The list goes last: an array without one could not be found again.
        for file in [answer(submission.number), list(submission.number)] { try? FileManager.default.removeItem(at: file) }
    }
}

/// A look at the queue, which may take seconds, on a thread of its own: nobody's Ctrl-C has to wait for it.
private final class QueueQuery: Sendable {
    let jobs: [String]
    let start = ContinuousClock.now
    private let result = Mutex<Result<[Slurm.Task], any Error>?>(nil)

    init(_ slurm: Slurm, jobs: [String], names: [String]) {
        self.jobs = jobs
        Thread.detachNewThread { [self] in
            let answer = Result { try slurm.tasks(of: jobs, names: names) }
            result.withLock { $0 = answer }
        }
    }

    /// Nil while there is none yet.
    var answer: Result<[Slurm.Task], any Error>? { result.withLock { $0 } }
}
