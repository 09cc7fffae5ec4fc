import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab

/// Ends each task at the first check, after doing its work.
private final class StubLauncher: Launcher {
    private(set) var started: [String] = []
    private(set) var stops = 0
    private var running: [PlannedRun] = []
    private let room: Int
    private let work: (PlannedRun) throws -> String?
    let interval = Duration.zero

    /// - Parameter work: does a run, and returns the reason if it failed.
    init(room: Int = .max, work: @escaping (PlannedRun) throws -> String?) {
        (self.room, self.work) = (room, work)
    }

    func adopt(_ runs: [PlannedRun]) -> [String] { [] }

    func start(_ runs: [PlannedRun]) -> [String] {
        let begun = runs.prefix(room - running.count)
        running += begun
        started += begun.map(\.id)
        return begun.map(\.id)
    }

    func ended() throws -> [EndedTask] {
        defer { running = [] }
        return try running.map { EndedTask(id: $0.id, reason: try work($0)) }
    }

    func stop() { stops += 1 }
}

private final class Witness: ExperimentObserver {
    private(set) var sentences: [String] = []
    private(set) var last: ExperimentStatus?
    func say(_ text: String) { sentences.append(text) }
    func didLook(_ status: ExperimentStatus) { last = status }
    func heard(_ words: String) -> Bool { sentences.contains { $0.contains(words) } }
}

@Suite struct ExperimentRunnerTests {
    private let temporary: TestFolder
    private let folder: ExperimentFolder
    private let witness = Witness()
    private let readings = [Reading(FrameSequence("1", track: "t", number: "4"), read: "4")]

    init() throws {
        temporary = try TestFolder()
        folder = ExperimentFolder(temporary.url)
        try folder.begin(
            try Experiment(yaml: "name: x\nmodels: [basic_mv3s, basic_r18]\nseeds: [1, 2]", source: "test"))
    }

    private func finish(_ run: PlannedRun) throws -> String? {
        try folder.run(run.id).pretend(run.config, readings)
        return nil
    }

    private func run(_ launcher: StubLauncher, shouldStop: @escaping () -> Bool = { false }) throws
        -> ExperimentRunner.Ending
    {
        try ExperimentRunner(folder, launcher: launcher, jobs: 1, observer: witness, shouldStop: shouldStop)
            .run()
    }

    private func records() throws -> [RunRecord] { try RunDatabase(reading: folder.database).runs() }

    @Test func `All runs are run once, in order, and are in the table with their epochs`() throws {
        let launcher = StubLauncher(room: 1, work: finish)
        #expect(try run(launcher) == .finished)
        let ids = ["basic_mv3s-1", "basic_r18-1", "basic_mv3s-2", "basic_r18-2"]
        #expect(launcher.started == ids && witness.last?.count(.finished) == 4)
        let records = try records()
        #expect(
            records.map(\.id) == ids
                && records.allSatisfy { $0.state == "finished" && $0.attempts == 1 && $0.host != nil })
        #expect(
            records[0].numberAccuracy == 1 && records[0].validationAccuracy == 0.9
                && records[0].bestEpoch == 2)
        #expect(try JSON.decoded(RunConfig.self, from: Data(records[1].config.utf8)).model == "basic_r18")
        let epochs = try RunDatabase(reading: folder.database).epochs(of: ids[3])
        #expect(
            epochs.map(\.epoch) == [1, 2, 3] && epochs.map(\.best) == [true, true, false]
                && epochs[1].validationLoss == 2)
    }

    @Test func `The table has the settings that a run was made with`() throws {
        let launcher = StubLauncher { run in
            var config = run.config
            config.data.path = "/elsewhere"
            try self.folder.run(run.id).pretend(config, self.readings)
            return nil
        }
        #expect(try run(launcher) == .finished)
        #expect(try records().allSatisfy { $0.config.contains("/elsewhere") })
    }

    @Test func `Looking at a lock blocks no one`() throws {
        #expect(!folder.isRunning)
        let lock = try folder.begin(try folder.experiment())
        #expect(folder.isRunning)
        let runner = try ExperimentRunner(
            folder, only: ["basic_r18-2"], holding: lock, launcher: StubLauncher(work: finish), jobs: 1,
            observer: witness)
        #expect(try runner.run() == .finished)
        #expect(witness.last?.runs.map(\.id) == ["basic_r18-2"])
        withExtendedLifetime(lock) {}
    }

    @Test func `Finished runs are kept, and what the table says of them too`() throws {
        #expect(try run(StubLauncher(work: finish)) == .finished)
        let before = try records()
        let launcher = StubLauncher(work: finish)
        #expect(try run(launcher) == .finished)
        #expect(launcher.started.isEmpty && witness.heard("4 of 4 runs are already finished"))
        let after = try records()
        #expect(after == before)
    }

    @Test func `A run whose result is broken is named and done again, and no other`() throws {
        #expect(try run(StubLauncher(work: finish)) == .finished)
        let result = folder.run("basic_r18-1").result
        try Data(contentsOf: result).prefix(40).write(to: result)
        #expect(try ExperimentStatus(folder).count(.interrupted) == 1)
        let launcher = StubLauncher(work: finish)
        #expect(try run(launcher) == .finished)
        #expect(
            launcher.started == ["basic_r18-1"]
                && witness.heard("basic_r18-1: \(result.path): cannot be parsed"))
        #expect(try ExperimentStatus(folder).count(.finished) == 4)
    }

    @Test func `A run that fails is retried once, and the others continue`() throws {
        let launcher = StubLauncher { $0.id == "basic_r18-1" ? "data/4 is gone" : try self.finish($0) }
        #expect(try run(launcher) == .failed(1))
        #expect(launcher.started.count { $0 == "basic_r18-1" } == 2 && launcher.started.count == 5)
        #expect(witness.heard("basic_r18-1 failed: data/4 is gone; retrying once"))
        let record = try #require(try records().first { $0.id == "basic_r18-1" })
        #expect(record.state == "failed" && record.attempts == 2 && record.reason == "data/4 is gone")
        let seen = try #require(try ExperimentStatus(folder).runs.first { $0.id == "basic_r18-1" })
        #expect(seen.state == .failed && seen.reason == "data/4 is gone")
        // The next call starts afresh.
        #expect(try run(StubLauncher(work: finish)) == .finished)
        #expect(try records().allSatisfy { $0.state == "finished" && $0.reason == nil })
    }

    @Test func `A task that ends well but leaves no result has failed`() throws {
        let launcher = StubLauncher { $0.id == "basic_mv3s-2" ? nil : try self.finish($0) }
        #expect(try run(launcher) == .failed(1))
        #expect(witness.heard("basic_mv3s-2 failed: it ended without a result"))
        #expect(launcher.started.count { $0 == "basic_mv3s-2" } == 2)
    }

    @Test func `When asked to stop, it stops its tasks, and continues later`() throws {
        var looks = 0
        let launcher = StubLauncher(room: 1, work: finish)
        let ending = try run(launcher) {
            looks += 1
            return looks == 2
        }
        #expect(ending == .stopped && launcher.stops == 1 && launcher.started == ["basic_mv3s-1"])
        let next = StubLauncher(work: finish)
        #expect(try run(next) == .finished)
        #expect(next.started.count == 3)
    }

    @Test func `Two processes do not run one experiment`() throws {
        let lock = try folder.lock()
        #expect(folder.isRunning)
        let error = #expect(throws: FileError.self) { try run(StubLauncher(work: finish)) }
        #expect(error?.description.contains("another process runs this experiment") == true)
        withExtendedLifetime(lock) {}
    }

    @Test func `A run counts as running only while its experiment is running`() throws {
        #expect(try run(StubLauncher(work: finish)) == .finished)
        try FileManager.default.removeItem(at: folder.run("basic_r18-2").result)
        let (database, _) = try RunDatabase.open(folder.database)
        var record = try #require(try database.runs().first { $0.id == "basic_r18-2" })
        record.state = "running"
        try database.save([record])
        #expect(try ExperimentStatus(folder).runs.last?.state == .interrupted)
        #expect(try folder.records().last?.state == "interrupted" && records().last?.state == "running")
        let lock = try folder.lock()
        #expect(try ExperimentStatus(folder).runs.last?.state == .running)
        withExtendedLifetime(lock) {}
    }

    // MARK: The table

    /// Damaged tables: no table, half of one, and one with a hole.
    private static let breakages: [@Sendable (Data) -> Data] = [
        { _ in Data("not a table at all, but long enough to be taken for one".utf8) },
        { $0.prefix($0.count / 2) },
        { $0.prefix(4096) + Data(repeating: 0xA5, count: $0.count - 4096) },
    ]

    @Test(arguments: breakages.indices)
    func `A broken table is named when it is read, and set aside and rebuilt when it is written`(kind: Int)
        throws
    {
        #expect(try run(StubLauncher(work: finish)) == .finished)
        let before = try records()
        try Self.breakages[kind](Data(contentsOf: folder.database)).write(to: folder.database)
        let error = #expect(throws: FileError.self) { try records() }
        #expect(
            error?.path == folder.database.path && error?.advice?.contains("`jersey experiment run`") == true)
        #expect(try ExperimentStatus(folder).count(.finished) == 4)

        let launcher = StubLauncher(work: finish)
        #expect(try run(launcher) == .finished)
        #expect(launcher.started.isEmpty && witness.heard("was corrupt and is now runs.sqlite.broken-"))
        let after = try records()
        #expect(
            after.map(\.result) == before.map(\.result)
                && after.map(\.numberAccuracy) == before.map(\.numberAccuracy))
        #expect(try RunDatabase(reading: folder.database).epochs(of: "basic_mv3s-1").count == 3)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.count { $0.hasPrefix("runs.sqlite.broken-") } == 1)
    }

    @Test func `A rebuilt table knows when runs were finished`() throws {
        #expect(try run(StubLauncher(work: finish)) == .finished)
        let past = Date(timeIntervalSince1970: 1_700_000_000)
        let result = folder.run("basic_r18-1").result.path
        try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: result)
        try FileManager.default.removeItem(at: folder.database)
        #expect(try run(StubLauncher(work: finish)) == .finished)
        #expect(try records().first { $0.id == "basic_r18-1" }?.finished == past)
    }

    @Test func `Runs continue without a table, which is reported once`() throws {
        try FileManager.default.createDirectory(at: folder.database, withIntermediateDirectories: false)
        #expect(try run(StubLauncher(work: finish)) == .finished)
        #expect(witness.sentences.count { $0.contains("warning: \(folder.database.path)") } == 1)
        #expect(try ExperimentStatus(folder).count(.finished) == 4)
    }

    @Test func `A task on this machine keeps OpenMP's waits short, unless the user has chosen`() throws {
        let program = temporary.url.appendingPathComponent("jersey")
        try Data("#!/bin/sh\necho \"waits $GOMP_SPINCOUNT\" >&2\nexit 1\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let launcher = LocalLauncher(executable: program, folder: folder, jobs: 1)
        #expect(try launcher.start(try folder.experiment().runs()).count == 1)
        var ended: [EndedTask] = []
        for _ in 0..<1000 where ended.isEmpty {
            Thread.sleep(forTimeInterval: 0.01)
            ended = launcher.ended()
        }
        #expect(ended.map(\.reason) == ["waits \(ShortWaits.here)"])
        #expect(ShortWaits.variables(beside: ["PATH": "/bin"]) == ["GOMP_SPINCOUNT": "1000"])
        #expect(ShortWaits.variables(beside: ["GOMP_SPINCOUNT": ""]).isEmpty)
        #expect(ShortWaits.variables(beside: ["OMP_WAIT_POLICY": "active"]).isEmpty)
    }

    @Test func `A record comes back as it was written`() throws {
        let (database, aside) = try RunDatabase.open(folder.database)
        #expect(aside == nil)
        let planned = try #require(try folder.experiment().runs().first)
        var record = RunRecord(planned)
        try database.save([record])
        #expect(try records() == [record])
        (record.variant, record.attempts, record.host, record.reason) = (
            "a'b", 3, "h", "line\nbreak \"quoted\""
        )
        (record.started, record.seconds, record.testLoss) = (
            Date(timeIntervalSince1970: 1_000_000), 12.5, 0.125
        )
        let rows = (1...2).map { epoch in
            let part = EpochMetrics.Part(
                loss: 1, numberAccuracy: 0.25, tensAccuracy: 0.5, onesAccuracy: 0.75, fullAccuracy: nil,
                sequences: 4)
            return EpochMetrics(
                epoch: epoch, rateFactor: 0.5, train: part, validation: nil, unreadableFiles: 0, best: true,
                seconds: 1)
        }
        try database.save(record, epochs: rows[...])
        try database.save(record, epochs: rows[...])
        #expect(try records() == [record])
        let epochs = try database.epochs(of: record.id)
        #expect(
            epochs.map(\.epoch) == [1, 2] && epochs[0].trainOnesAccuracy == 0.75
                && epochs[0].validationLoss == nil)
        #expect(try database.epochs(of: "another").isEmpty)
    }
}
