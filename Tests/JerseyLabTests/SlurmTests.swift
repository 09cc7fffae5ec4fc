import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab

@Suite struct SlurmTests {
    // MARK: Without Slurm

    @Test func `The queue's words are understood, those about other things are passed over`() {
        let text = """
            12                  |3                   |RUNNING             |0                   |None                        |
            12                  |0                   |FAILED              |768                 |NonZeroExitCode             |
            12                  |1                   |CANCELLED           |33280               |None                        |
            12                  |4                   |PENDING             |0                   |launch failed requeued held |
            13                  |N/A                 |RUNNING             |0                   |None                        |
            slurm_load_jobs: a remark
            """
        let tasks = Slurm.tasks(from: text)
        #expect(tasks.map(\.index) == [3, 0, 1, 4])
        #expect(tasks.map(\.isOver) == [false, true, true, false])
        #expect(tasks.map(\.isWaiting) == [false, false, false, true])
        #expect(
            tasks[1] == Slurm.Task(job: "12", index: 0, state: "FAILED", status: 768, why: "NonZeroExitCode"))
        #expect(tasks[3].why == "launch failed requeued held")
    }

    @Test(arguments: [
        ("FAILED", 1 << 8, "no such folder", "no such folder"), ("FAILED", 3 << 8, nil, "exit status 3"),
        ("FAILED", 9, "epoch 3/10", "signal 9"), ("FAILED", 130 << 8, "stopping after this step", "saved"),
        ("TIMEOUT", 130 << 8, "epoch 3/10", "time limit"), ("CANCELLED", 15, "epoch 3/10", "cancelled"),
        ("NODE_FAIL", 0, nil, "node"), ("LAUNCH_FAILED", 0, nil, "LAUNCH_FAILED (JobLaunchFailure)"),
    ])
    func `A task's end is put in words`(state: String, status: Int32, words: String?, reason: String) {
        let task = Slurm.Task(job: "1", index: 0, state: state, status: status, why: "JobLaunchFailure")
        #expect(SlurmLauncher.reason(task, lastWords: words).contains(reason))
    }

    @Test func `A task runs the run of its line and keeps a log, whatever the folder is called`() throws {
        let temporary = try TestFolder()
        let url = temporary.url.appendingPathComponent("it's $HOME")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let program = url.appendingPathComponent("jersey")
        try Data("#!/bin/sh\nprintf '%s\\n' \"$@\" \"waits $GOMP_SPINCOUNT\" >&2\nexit 5\n".utf8).write(
            to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let (script, list) = (url.appendingPathComponent("task.sh"), url.appendingPathComponent("1.runs"))
        try Data(SlurmLauncher.script(executable: program, folder: ExperimentFolder(url)).utf8).write(
            to: script)
        try Data("a-1\nb-1\n".utf8).write(to: list)

        let call = try RunningProgram(
            "/bin/bash", [script.path, list.path], ["SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"])
        #expect(call.end().status == 5)
        let log = try String(contentsOf: ExperimentFolder(url).run("b-1").log, encoding: .utf8).split(
            separator: "\n")
        #expect(log.first.map(RunLog.unstamped)?.hasPrefix("Slurm task 7_1 on ") ?? false)
        #expect(log.dropFirst() == ["experiment", "task", url.path[...], "b-1", "waits \(ShortWaits.here)"])
    }

    @Test(arguments: [
        (Slurm.Failure.notFound, "login node", Remedy.launcher),
        ("Unable to contact slurm controller (connect failure)", "sinfo", nil),
        ("Invalid partition name specified", "options that your cluster requires", .clusterOptions),
    ])
    func `What Slurm refuses comes with a way out`(words: String, hint: String, remedy: Remedy?) {
        let failure = Slurm.Failure(command: "sbatch", message: words)
        #expect("\(failure)".contains(hint) && failure.remedy == remedy)
    }

    // MARK: With Slurm

    @Test
    func
        `Runs are tasks of an array: watched again after a kill, reported when they fail, cancelled on request`()
        throws
    {
        let node = try SlurmNode()
        guard node.isInstalled else { try Test.cancel("no Slurm here to test with: \(node.words)") }
        defer { node.stop() }
        try killed(node)
        try failing(node)
        try interrupted(node)
    }

    private func killed(_ node: SlurmNode) throws {
        let folder = try node.experiment(named: "killed", seeds: 1...3)
        let first = try node.run(folder)
        let logs = (1...3).map { folder.run("attn_ugru_gate-\($0)").log }
        try wait(for: first) { FileManager.default.fileExists(atPath: logs[0].path) }
        kill(first.process.processIdentifier, SIGKILL)
        #expect(first.end().status == SIGKILL)
        // As if the kill had come before Slurm's answer was saved.
        try? FileManager.default.removeItem(at: folder.url.appendingPathComponent("slurm/1.job"))

        let second = try node.run(folder).end()
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.errors.contains("not submitting again"), "\(second.errors)")
        #expect(try ExperimentStatus(folder).count(.finished) == 3)
        for log in logs {
            #expect(try String(contentsOf: log, encoding: .utf8).ranges(of: "Slurm task").count == 1)
        }
        #expect(try node.queue().isEmpty)
    }

    private func failing(_ node: SlurmNode) throws {
        let folder = try node.experiment(
            named: "failing", seeds: 1...1,
            variants: "[{name: bad, settings: {data: {splits: \(TestFolder.missing)/splits.json}}}]")
        let call = try node.run(folder).end()
        #expect(call.status == 1)
        #expect(call.errors.contains("attn_ugru_gate-bad-1 failed: "), "\(call.errors)")
        #expect(
            call.errors.contains("retrying once") && call.errors.contains(TestFolder.missing),
            "\(call.errors)")
        let status = try ExperimentStatus(folder)
        #expect(
            status.runs.map(\.state) == [.failed]
                && status.runs[0].reason?.contains(TestFolder.missing) ?? false)
    }

    private func interrupted(_ node: SlurmNode) throws {
        let folder = try node.experiment(named: "interrupted", seeds: 1...2, epochs: 1000)
        let call = try node.run(folder)
        try wait(for: call) { RunProgress(contentsOf: folder.run("attn_ugru_gate-1").progress) != nil }
        #expect(try ExperimentStatus(folder).count(.running) == 1)
        call.process.interrupt()
        let end = call.end()
        #expect(end.status == 130, "\(end.errors)")
        #expect(try node.queue().isEmpty)
        let run = folder.run("attn_ugru_gate-1")
        #expect(run.exists(run.state) && !run.exists(run.result))
        #expect(try ExperimentStatus(folder).runs.map(\.state) == [.interrupted, .waiting])
    }

    @Test func `Shards are tasks of an array, and a second call submits those that are missing`() throws {
        let node = try SlurmNode()
        guard node.isInstalled else { try Test.cancel("no Slurm here to test with: \(node.words)") }
        defer { node.stop() }
        let folder = try TestFolder()
        let track = Sample.folder.path("data/4")
        let items = (1...4).map { "{\"path\": \"\($0 == 3 ? TestFolder.missing : track)\"}\n" }
        try folder.url.add("it's a list.jsonl", Data(items.joined().utf8))
        let out = folder.path("results")
        let arguments = [
            "predict", "--manifest", folder.path("it's a list.jsonl"), "--out", out, "--shards", "4",
            "--jobs",
            "2", "--launcher", "slurm", "--threads", "1", "--sbatch", "--time=5",
        ]
        // A task whose items cannot be read fails, and its part is there.
        let first = try node.jersey(arguments).end()
        #expect(first.status == 0, "\(first.errors)")
        let merged = try node.jersey(["merge", out]).end()
        #expect(merged.status == 0 && merged.errors.contains("4 items, 1 of which"), "\(merged.errors)")
        try FileManager.default.removeItem(atPath: out + "/part-00002-of-00004.jsonl")
        let second = try node.jersey(arguments).end()
        #expect(second.status == 0 && second.errors.contains("submitted 1 shard "), "\(second.errors)")
        #expect(try node.jersey(["merge", out]).end().output == merged.output)
        #expect(try node.queue().isEmpty)
    }

    private func wait(for call: RunningProgram, until condition: () -> Bool) throws {
        let start = ContinuousClock.now
        while !condition() {
            guard call.process.isRunning, .now - start < .seconds(40) else {
                call.process.terminate()
                throw UsageError("it did not come so far: \(call.end().errors)")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}

/// A Slurm cluster of one node.
private final class SlurmNode {
    private let temporary: TestFolder
    private let folder: String
    private let environment: [String: String]
    let isInstalled: Bool
    /// What is missing if Slurm is not installed.
    let words: String
    private static let script = Places.repository.appendingPathComponent("Tools/slurm_node.sh").path

    init() throws {
        temporary = try TestFolder()
        folder = temporary.path("node")
        let start = try RunningProgram(Self.script, ["start", folder]).end()
        isInstalled = start.status != 77
        words = start.errors
        guard [0, 77].contains(start.status) else {
            throw UsageError("the node did not start: \(start.errors)")
        }
        environment = ["SLURM_CONF": folder + "/slurm.conf"]
    }

    func stop() {
        _ = try? RunningProgram(Self.script, ["stop", folder]).end()
        for name in ["munged", "slurmctld", "slurmd"] {
            let pid = (try? String(contentsOfFile: "\(folder)/\(name).pid", encoding: .utf8)) ?? ""
            let program = "/proc/\(pid.trimmingCharacters(in: .whitespacesAndNewlines))/exe"
            #expect(!FileManager.default.fileExists(atPath: program), "\(name) is still there")
        }
    }

    func experiment(named name: String, seeds: ClosedRange<Int>, epochs: Int = 2, variants: String = "[]")
        throws
        -> ExperimentFolder
    {
        let experiment = try Experiment(
            yaml: """
                {name: \(name), models: attn_ugru_gate, seeds: [\(seeds.map(String.init).joined(separator: ", "))], variants: \(variants),
                settings: {encoder: mobilenet_v3_small, training: {batchSize: 4, epochs: \(epochs), threads: 1},
                data: {path: "\(Sample.folder.path("data"))", height: 48, width: 24, ratios: [0.6, 0.2, 0.2]}}}
                """, source: "a test")
        let folder = ExperimentFolder(temporary.url.appendingPathComponent(name))
        try folder.begin(experiment)
        return folder
    }

    /// `jersey experiment run`, one task at a time.
    func run(_ folder: ExperimentFolder) throws -> RunningProgram {
        try jersey(["experiment", "run", "--out", folder.url.path, "--launcher", "slurm"])
    }

    func jersey(_ arguments: [String]) throws -> RunningProgram {
        try RunningProgram(Places.jersey, arguments, environment)
    }

    func queue() throws -> String {
        try RunningProgram("/usr/bin/env", ["squeue", "--noheader"], environment).end().output
    }
}

extension RunningProgram {
    /// - Parameter environment: overrides this process's environment.
    fileprivate convenience init(
        _ program: String, _ arguments: [String], _ environment: [String: String] = [:]
    ) throws {
        try self.init(
            program, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            limit: .seconds(60))
    }
}
