import Foundation
import Jersey
import Synchronization

/// Runs each task as part of a job array on a Slurm cluster that shares the experiment folder with
/// this machine.
///
/// The folder `slurm` holds `task.sh`, which every task executes. For each array it holds `1.runs`,
/// with one line per task, and `1.job` with Slurm's job id. The array continues without the
/// launcher; the next launcher finds it by these files.
package final class SlurmLauncher: Launcher {
    /// A job array that may still be in the queue.
    private struct Submission {
        let number: Int
        /// Nil from the submission until Slurm's answer is saved.
        var job: String?
        let runs: [String]
    }

    private struct Task {
        let job: String
        let index: Int
        var seen: Slurm.Task?
        /// When this launcher first saw it ended.
        var over: ContinuousClock.Instant?
        /// Whether the runner was informed of its start.
        var isAnnounced = false

        var hasBegun: Bool { seen.map { !$0.isWaiting } ?? (over != nil) }
    }

    /// Short, to react to the stop signal. Slurm is polled less often.
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
    /// Whether Slurm ever responded. From then on, outages are waited out.
    private var hasAnswered = false
    private var isSilent = false
    private var reported: Set<String> = []

    /// Maximum tasks per array: Slurm's default limit.
    private static let mostTasks = 1000
    /// Time for a shared file system to show a task's files on this machine.
    private static let patience = Duration.seconds(60)

    /// - Parameters:
    ///   - executable: the `jersey` program. The nodes must have it at the same path.
    ///   - jobs: number of concurrent tasks.
    ///   - options: additional arguments of `sbatch`. They cannot change the array's size, name and
    ///     comment.
    ///   - say: shows a message to the user.
    /// - Throws: if the experiment's definition cannot be read.
    package init(
        executable: URL, folder: ExperimentFolder, jobs: Int, options: [String] = [],
        say: @escaping (String) -> Void
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
            say(
                "\(tasks.count) run\(tasks.count == 1 ? " is" : "s are") still in Slurm job \(jobs); not submitting again"
            )
        }
        return announce()
    }

    /// Submits new runs, and returns those that have begun. A submitted run still counts as waiting
    /// until it begins.
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
            // Slurm kills tasks that ignore its signal.
            while try queue().contains(where: { !$0.isOver }) { Thread.sleep(forTimeInterval: 1) }
        } catch let failure as Slurm.Failure {
            let job = "job \(jobs.joined(separator: ", "))"
            throw Slurm.Failure(
                command: failure.command,
                message: failure.message
                    + "; \(job) may still be running: repeat the command to watch it, or run `scancel`")
        }
        submissions.forEach(forget)
    }

    // MARK: Submitting

    private func submit(_ runs: [PlannedRun]) throws {
        try write(
            Self.script(executable: executable, folder: folder), to: files.appendingPathComponent("task.sh"))
        let number = (submissions.map(\.number).max() ?? 0) + 1
        let submission = Submission(number: number, job: nil, runs: runs.map(\.id))
        try write(submission.runs.map { $0 + "\n" }.joined(), to: list(number))
        submissions.append(submission)
        do {
            let defaults = [
                "--output=\(files.path)/slurm.log", "--open-mode=append", "--requeue",
                "--cpus-per-task=\(runs.compactMap(\.config.training.threads).max() ?? 1)",
            ]
            // Identifies the array later.
            let identity = [
                "--array=0-\(runs.count - 1)%\(jobs)", "--job-name=\(jobName(number))",
                "--comment=\(files.path)",
            ]
            let job = try slurm.submit(
                defaults + options + identity + [
                    files.appendingPathComponent("task.sh").path, list(number).path,
                ])
            try take(number, job)
            say("submitted \(runs.count) run\(runs.count == 1 ? "" : "s") as Slurm job \(job)")
        } catch let failure as Slurm.Failure where !failure.isSilence {
            forget(submission)
            throw failure
        }
    }

    /// The script that a task executes as `task.sh LIST`. Line n of the list names the run of task
    /// n.
    static func script(executable: URL, folder: ExperimentFolder) -> String {
        """
        #!/bin/bash
        # Trains one run of an experiment. Written by `jersey experiment run`. $1 lists the runs; task 0 trains the first.
        set -eu
        folder=\(quoted(folder.url.path))
        run=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$1")
        mkdir -p "$folder/runs/$run"
        exec > /dev/null 2>> "$folder/runs/$run/log.txt"
        echo "$(date -u +%FT%TZ) \(Self.heading) ${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID on $(hostname)" >&2
        # Short waits of OpenMP threads, as in `jersey train`, unless the user chose otherwise.
        [ -n "\(ShortWaits.choices.map { "${\($0)+x}" }.joined())" ] || export \(ShortWaits.variable)=\(ShortWaits.turns)
        # exec replaces the shell, so that jersey receives the signals.
        exec \(quoted(executable.path)) experiment task "$folder" "$run"

        """
    }

    private static let heading = "Slurm task"

    private static func quoted(_ word: String) -> String {
        "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }

    /// Recovers submissions whose answer was not saved. Forgets those that Slurm does not know.
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
            let seen = Dictionary(
                try answer.get().map { ("\($0.job)_\($0.index)", $0) },
                uniquingKeysWith: { first, _ in first })
            for (id, task) in tasks where query.jobs.contains(task.job) {
                let now = seen["\(task.job)_\(task.index)"]
                tasks[id]!.seen = now
                // A task that Slurm no longer lists has ended.
                if now?.isOver ?? true { tasks[id]!.over = task.over ?? .now }
            }
            for task in seen.values where task.isWaiting { tell(task) }
            // Poll a busy Slurm less often.
            nextLook = .now + min(max((.now - query.start) * 10, .seconds(1)), .seconds(15))
        }
    }

    private func queue() throws -> [Slurm.Task] {
        let known = submissions.filter { $0.job != nil }
        let seen = try slurm.tasks(of: known.compactMap(\.job), names: known.map { jobName($0.number) })
        if !known.isEmpty { hasAnswered = true }
        return seen
    }

    /// Reports unusual reasons for waiting, once each.
    private func tell(_ task: Slurm.Task) {
        let ordinary = ["None", "Resources", "Priority", "JobArrayTaskLimit", "BeginTime", "Cleaning"]
        guard !ordinary.contains(task.why), reported.insert(task.why).inserted else { return }
        let name = "\(task.job)_\(task.index)"
        say("Slurm keeps task \(name) waiting (\(task.why)); for details, run `scontrol show job \(name)`")
    }

    /// Waits out an unresponsive controller: it usually returns, and running tasks do not need it.
    private func patiently(_ body: () throws -> Void) throws {
        do {
            try body()
            if isSilent { say("Slurm responds again") }
            hasAnswered = true
            isSilent = false
        } catch let failure as Slurm.Failure where failure.isSilence && hasAnswered {
            if !isSilent {
                say("Slurm does not respond (\(failure.message)); tasks continue, and it will be asked again")
            }
            isSilent = true
            nextLook = .now + .seconds(5)
        }
    }

    private func announce() -> [String] {
        let begun = tasks.filter { $0.value.hasBegun && !$0.value.isAnnounced }.keys.sorted()
        for id in begun { tasks[id]!.isAnnounced = true }
        return begun
    }

    /// The outcome of an ended task; nil while its result may still be missing because of the
    /// shared file system.
    private func end(of id: String, _ task: Task, over: ContinuousClock.Instant) -> EndedTask? {
        let run = folder.run(id)
        if run.exists(run.result) { return EndedTask(id: id, reason: nil) }
        guard let seen = task.seen else {
            return EndedTask(id: id, reason: lastWords(of: id) ?? "it left Slurm's queue without a result")
        }
        if seen.state == "COMPLETED" {
            guard .now - over > Self.patience else { return nil }
            return EndedTask(
                id: id, reason: "it left no result in \(run.url.path); does its node share that folder?")
        }
        return EndedTask(
            id: id, reason: Self.reason(seen, lastWords: lastWords(of: id)),
            isCancelled: seen.state == "CANCELLED")
    }

    /// The reason of a task's failure.
    static func reason(_ task: Slurm.Task, lastWords: String?) -> String {
        switch task.state {
        case "CANCELLED": return "it was cancelled (scancel)"
        case "TIMEOUT", "DEADLINE": return "it reached its time limit; raise it with --sbatch \"--time=…\""
        case "OUT_OF_MEMORY": return "it ran out of memory; raise the limit with --sbatch \"--mem=…\""
        case "NODE_FAIL": return "its node failed"
        case "PREEMPTED": return "it was preempted by another job"
        default: break
        }
        let (signal, status) = (task.status & 0x7f, task.status >> 8)
        if signal != 0 {
            return
                "it was killed by signal \(signal)\(signal == SIGKILL ? "; it may have run out of memory" : "")"
        }
        if status == 130 { return "it was stopped, and saved its state" }
        return lastWords
            ?? (status == 0 ? "Slurm reports \(task.state) (\(task.why))" : "exit status \(status)")
    }

    /// The last line of a task's log; nil if it logged nothing.
    private func lastWords(of id: String) -> String? {
        guard let log = try? FileHandle(forReadingFrom: folder.run(id).log), let end = try? log.seekToEnd()
        else { return nil }
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
        return try names.filter { $0.hasSuffix(".runs") }.compactMap { Int($0.dropLast(5)) }.sorted().map {
            number in
            let file = answer(number)
            let job = FileManager.default.fileExists(atPath: file.path) ? try text(file) : nil
            return Submission(
                number: number, job: job?.trimmingCharacters(in: .whitespacesAndNewlines),
                runs: try text(list(number)).split(separator: "\n").map(String.init))
        }
    }

    private func forget(_ submission: Submission) {
        submissions.removeAll { $0.number == submission.number }
        // Remove the list last: an array without a list could not be found again.
        for file in [answer(submission.number), list(submission.number)] {
            try? FileManager.default.removeItem(at: file)
        }
    }
}

/// Queries the queue on a separate thread. A query can take seconds, and must not delay Ctrl-C.
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

    /// Nil until the query completes.
    var answer: Result<[Slurm.Task], any Error>? { result.withLock { $0 } }
}
