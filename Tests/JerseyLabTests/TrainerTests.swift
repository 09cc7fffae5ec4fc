import Foundation
import Jersey
import JerseyLab
import TestSupport
import Testing
import Torch

@testable import JerseyLab

@Suite(.serialized) struct TrainerTests {
    private func train(_ config: RunConfig, in folder: URL, stopAfter steps: Int = .max) throws
        -> Trainer.Ending
    {
        var done = 0
        let trainer = Trainer(config, folder: RunFolder(folder), observer: SilentObserver()) {
            done += 1
            return done == steps
        }
        return try trainer.run()
    }

    /// The tensors of a safetensors file, without the header, which may hold times.
    private func body(_ url: URL) throws -> Data {
        let data = try Data(contentsOf: url)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        return data.dropFirst(8 + length)
    }

    private func rows(_ folder: URL) throws -> [EpochMetrics] {
        guard RunFolder(folder).exists(RunFolder(folder).metrics) else { return [] }
        return try String(contentsOf: RunFolder(folder).metrics, encoding: .utf8).split(separator: "\n").map {
            var row = try JSONDecoder().decode(EpochMetrics.self, from: Data($0.utf8))
            row.seconds = 0
            return row
        }
    }

    @Test func `A run in which no batch can be learned from ends in words that help`() throws {
        let folder = try TestFolder()
        var config = Sample.config("basic_mv3s")
        (config.training.batchSize, config.data.height, config.data.width) = (1, 32, 32)
        let run = folder.url.appendingPathComponent("run")
        let error = #expect(throws: UsageError.self) { try train(config, in: run) }
        #expect(error?.description.contains("no batch of epoch 1 can be learned from") == true)
    }

    @Test(arguments: ["attn_ugru_gate", "basic_mv3s"], [false, true])
    func `A run that is stopped again and again ends as the uninterrupted one`(model: String, published: Bool)
        throws
    {
        let folder = try TestFolder()
        var config = Sample.config(model)
        config.published = published
        let (whole, parts) = (
            folder.url.appendingPathComponent("whole"), folder.url.appendingPathComponent("parts")
        )
        #expect(try train(config, in: whole) == .finished)
        var sessions = 1
        // Stop later and later: after one step, and within evaluations.
        while try train(config, in: parts, stopAfter: sessions) == .stopped {
            sessions += 1
            // Neither the stops nor the workers are part of a run's identity.
            config.data.workers = 1 + sessions % 3
        }
        #expect(sessions > 4)
        #expect(try Data(contentsOf: RunFolder(whole).best) == Data(contentsOf: RunFolder(parts).best))
        #expect(try body(RunFolder(whole).state) == body(RunFolder(parts).state))
        #expect(try rows(whole) == rows(parts))
        #expect(
            try Data(contentsOf: RunFolder(whole).outcomes) == Data(contentsOf: RunFolder(parts).outcomes))
    }

    @Test func `A run may start from another's weights, all of them`() throws {
        let folder = try TestFolder()
        let (first, next) = (
            folder.url.appendingPathComponent("first"), folder.url.appendingPathComponent("next")
        )
        var config = Sample.config("seq_ugru_fs")
        config.training.epochs = 1
        config.optimizer.warmupEpochs = 0
        #expect(try train(config, in: first) == .finished)
        let start = try Checkpoint(contentsOf: RunFolder(first).best)
        config.startFrom = RunFolder(first).best.path
        config.seed = 99
        config.optimizer.rates = .uniform
        config.optimizer.rate = 1e-9
        #expect(try train(config, in: next) == .finished)
        let tuned = try Checkpoint(contentsOf: RunFolder(next).best)
        let name = "fc_tens.weight"
        let (before, after) = try (#require(start.tensors[name]), #require(tuned.tensors[name]))
        #expect(
            zip(before.array(of: Float.self), after.array(of: Float.self)).allSatisfy { abs($0 - $1) < 1e-6 })
        // Weights of another model are refused.
        config.model = "basic_mv3s"
        #expect(throws: FileError.self) { try train(config, in: folder.url.appendingPathComponent("other")) }
        config.startFrom = "bundled"
        let error = #expect(throws: UsageError.self) {
            try train(config, in: folder.url.appendingPathComponent("bundled"))
        }
        #expect(error?.description.contains("evidence_tied") == true)
        config.pretrained = "encoder.pth"
        #expect(throws: UsageError.self) { try config.validate() }
    }

    @Test func `A run leaves every file that DESIGN promises, and they can be read`() throws {
        let folder = try TestFolder()
        #expect(try train(Sample.config(), in: folder.url) == .finished)
        let run = RunFolder(folder.url)
        for file in [run.config, run.splits, run.metrics, run.best, run.state, run.outcomes, run.result] {
            #expect(run.exists(file))
        }
        #expect(try RunConfig(overlays: [ConfigOverlay(file: run.config)]) == Sample.config())
        #expect(try rows(folder.url).map(\.epoch) == [1, 2])
        let card = try Checkpoint(contentsOf: run.best).card
        #expect(card.height == 48 && card.numbers.map(\.description) == ["4", "07", "48"])
        let outcomes = try String(contentsOf: run.outcomes, encoding: .utf8).split(separator: "\n")
        #expect(outcomes.count == Splits.sequencesOfTest(in: run))
    }

    @Test func `A run tells where it starts from, its rates, and what came of it`() throws {
        let folder = try TestFolder()
        var config = Sample.config()
        config.published = true
        func observed() throws -> SilentObserver {
            let observer = SilentObserver()
            _ = try Trainer(
                config, folder: RunFolder(folder.url.appendingPathComponent(config.model)), observer: observer
            ).run()
            return observer
        }
        let first = try observed()
        #expect(
            first.sentences.first?.hasPrefix("warning: mobilenet_v3_small starts from random weights") == true
        )
        #expect(
            first.sentences.contains {
                $0.hasPrefix("attn_ugru_gate (mobilenet_v3_small): ") && $0.contains(" parameters, cpu (")
            })
        let test = try #require(first.sentences.last)
        #expect(
            test.contains(": loss ") && test.contains(", tens ") && test.contains(", ones ")
                && test.contains(" tracks"))
        #expect(first.epochs.map(\.rates.count) == [2, 2] && first.epochs.map(\.epochs) == [2, 2])
        #expect(abs(first.epochs[1].rates[1] / first.epochs[1].rates[0] - 3) < 1e-9)
        #expect(first.folders == 1)
        (config.model, config.encoder, config.published) = ("evidence_tied", .compact, false)
        #expect(try observed().sentences.allSatisfy { !$0.contains("random weights") })
    }

    @Test func `A finished run's curves are drawn into its folder, and a failure to draw is reported`() throws
    {
        let folder = try TestFolder()
        #expect(try train(Sample.config("basic_mv3s"), in: folder.url) == .finished)
        let run = RunFolder(folder.url)
        #expect(run.drawCurves() == nil)
        #expect(run.exists(run.plots(of: "curves").appendingPathComponent("curves_loss.png")))
        let problem = RunFolder(folder.url.appendingPathComponent("none")).drawCurves()
        #expect(
            problem?.hasPrefix("could not draw the curves: ") == true
                && problem?.contains("jersey analyze curves") == true)
    }

    @Test
    func `A log has the time before each line, continues an old file, and knows a line without its time`()
        throws
    {
        let folder = try TestFolder()
        let run = RunFolder(folder.url)
        let time = Date(timeIntervalSince1970: 1_700_000_000)
        RunLog(run.log).add("\nfirst\n\nsecond", at: time)
        RunLog(run.log).add("third", at: time)
        let stamp = "2023-11-14T22:13:20Z "
        #expect(
            try String(contentsOf: run.log, encoding: .utf8)
                == "\(stamp)first\n\(stamp)second\n\(stamp)third\n")
        #expect(
            RunLog.unstamped(stamp + "Error: it") == "Error: it" && RunLog.unstamped("2023 it") == "2023 it")
        #expect(LastErrorLine.last(of: Data("\(stamp)Error: no disk\n\(stamp)more\n".utf8)) == "no disk")
        RunLog(folder.url.appendingPathComponent("none/log.txt")).add("nobody hears it")
    }

    @Test func `A loss of the full number trains its head, and is measured`() throws {
        let folder = try TestFolder()
        var config = Sample.config("basic_mv3s")
        config.training.epochs = 1
        config.optimizer.warmupEpochs = 0
        (config.training.tensWeight, config.training.onesWeight, config.training.fullWeight) = (0, 0, 1)
        #expect(try train(config, in: folder.url) == .finished)
        let run = RunFolder(folder.url)
        let row = try #require(try rows(folder.url).first)
        #expect(row.train.fullAccuracy != nil && row.validation?.fullAccuracy != nil)
        let line = try #require(
            try String(contentsOf: run.outcomes, encoding: .utf8).split(separator: "\n").first)
        let full = try #require(try JSONDecoder().decode(Outcome.self, from: Data(line.utf8)).full)
        #expect(full.count == 110 && abs(full.reduce(0, +) - 1) < 1e-6)
        let trained = try Checkpoint(contentsOf: run.best)
        let fresh = JerseyModel(trained.card.spec, seed: config.seed).store.tensors
        #expect(trained.tensors["fc_full.weight"]?.floats != fresh["fc_full.weight"]?.floats)
    }

    @Test func `Balanced sampling draws every number about equally often`() throws {
        var config = Sample.config()
        config.training.balance = .numbers
        let sequences = (0..<90).map {
            FrameSequence(
                id: "\($0)", track: "\($0)", number: JerseyNumber($0 < 80 ? "4" : "48"), frames: ["x"],
                anchor: nil)
        }
        let items = (0..<20).flatMap { EpochOrder(config).items(sequences, epoch: $0) }
        let share = Double(items.count { $0.sequence.number == JerseyNumber("48") }) / Double(items.count)
        #expect(0.45...0.55 ~= share)
    }

    @Test func `Without balancing an epoch has every sequence once, in another order each time`() {
        let sequences = (0..<50).map {
            FrameSequence(id: "\($0)", track: "t", number: nil, frames: ["x"], anchor: nil)
        }
        let order = EpochOrder(Sample.config())
        let (first, second) = (
            order.items(sequences, epoch: 0).map(\.sequence.id),
            order.items(sequences, epoch: 1).map(\.sequence.id)
        )
        #expect(Set(first).count == 50 && Set(second).count == 50 && first != second)
        #expect(first == order.items(sequences, epoch: 0).map(\.sequence.id))
    }

    @Test func `The event file stays the same file, and is mended when a session begins`() throws {
        let folder = try TestFolder()
        let (whole, parts) = (
            folder.url.appendingPathComponent("whole"), folder.url.appendingPathComponent("parts")
        )
        func file(_ run: URL) -> URL {
            RunFolder(run).tensorboard.appendingPathComponent("events.out.tfevents.0.jersey")
        }
        func number(_ url: URL) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: url.path)[.systemFileNumber] as? Int
        }
        _ = try train(Sample.config(), in: whole)
        // Train into the second epoch.
        while try rows(parts).isEmpty { _ = try train(Sample.config(), in: parts, stopAfter: 9) }
        let before = try number(file(parts))
        try (Data(contentsOf: file(parts)).dropLast(5)).write(to: file(parts), options: [])
        #expect(try train(Sample.config(), in: parts) == .finished)
        #expect(try number(file(parts)) == before)
        #expect(try Data(contentsOf: file(parts)).count == Data(contentsOf: file(whole)).count)
    }

    @Test func `What follows from the state is repaired, and broken weights are named at once`() throws {
        let folder = try TestFolder()
        _ = try train(Sample.config(), in: folder.url)
        let run = RunFolder(folder.url)
        let metrics = try Data(contentsOf: run.metrics)
        try metrics.prefix(50).write(to: run.metrics)
        _ = try train(Sample.config(), in: folder.url)
        #expect(try Data(contentsOf: run.metrics) == metrics)
        try Data(contentsOf: run.best).prefix(1000).write(to: run.best)
        let error = #expect(throws: FileError.self) { try train(Sample.config(), in: folder.url) }
        #expect(error?.path == run.best.path)
    }

    @Test func `Two trainers in one folder are refused`() throws {
        let folder = try TestFolder()
        let run = RunFolder(folder.url)
        try run.create()
        let lock = try run.lock()
        #expect(throws: FileError.self) { try train(Sample.config(), in: folder.url) }
        withExtendedLifetime(lock) {}
    }

    @Test func `A state that is cut short is named, not trusted`() throws {
        let folder = try TestFolder()
        _ = try train(Sample.config(), in: folder.url, stopAfter: 1)
        let state = RunFolder(folder.url).state
        try Data(contentsOf: state).prefix(1000).write(to: state)
        let error = #expect(throws: FileError.self) { try train(Sample.config(), in: folder.url) }
        #expect(error?.path == state.path)
    }

    @Test
    func
        `Weights to start from that are not there leave no run behind, and those that are say what they take`()
        throws
    {
        let folder = try TestFolder()
        for key in ["pretrained", "startFrom"] {
            var config = Sample.config()
            if key == "pretrained" {
                config.pretrained = folder.path("no")
            } else {
                config.startFrom = folder.path("no")
            }
            #expect(throws: FileError.self) {
                try train(config, in: folder.url.appendingPathComponent("run"))
            }
            #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
        }
        let config = try RunConfig(overlays: [ConfigOverlay(startingFrom: "bundled")])
        #expect(config.model == "evidence_tied" && config.data.wholePlayers == .number)
        #expect(config.data.height == 48 && config.data.width == 48)
    }

    @Test func `Where only so many numbers can be, logit adjustment leaves nothing to learn of their digits`()
        throws
    {
        var config = Sample.config("evidence_tied")
        config.training.logitAdjustment = true
        config.training.labelSmoothing = 0.05
        let numbers = ["48", "07"].compactMap { JerseyNumber($0) }
        let learner = Learner(
            JerseyModel(try config.spec(), seed: 1), config, schedule: .cosine(total: 100, warm: 0),
            numbers: numbers)
        let batch = LabelledBatch(
            frames: .normal([5, 3, 48, 48], deviation: 1, seed: 7), lengths: [2, 3], isPadded: false,
            numbers: numbers)
        let first = try learner.learn(from: batch)
        // Only these two numbers ever occur, so there is nothing to learn about the digits.
        #expect(first.tensLoss.item < 1e-3 && first.onesLoss.item < 1e-3)
    }

    @Test func `A folder that cannot be written stops the run with the system's reason`() throws {
        let folder = try TestFolder()
        try Data().write(to: folder.url.appendingPathComponent("file"))
        #expect(throws: FileError.self) {
            try train(Sample.config(), in: folder.url.appendingPathComponent("file/run"))
        }
    }

    @Test func `A loss that is not finite stops the run with its step`() throws {
        let model = JerseyModel(try Sample.config().spec())
        let learner = Learner(model, Sample.config(), schedule: .cosine(total: 10, warm: 0))
        let batch = LabelledBatch(
            frames: .full([2, 3, 48, 24], .nan), lengths: [2], isPadded: false,
            numbers: [JerseyNumber(tens: 4, ones: 8)])
        #expect(throws: TrainingError.self) { try learner.learn(from: batch) }
    }

    @Test(arguments: [TrainingPrecision.float32, .bfloat16])
    func `A few steps on one batch lower its loss`(precision: TrainingPrecision) throws {
        var config = Sample.config("attn_bgru_luong")
        config.training.precision = precision
        config.optimizer.rates = .uniform
        let learner = Learner(
            JerseyModel(try config.spec(), seed: 1), config, schedule: .cosine(total: 100, warm: 0))
        let batch = LabelledBatch(
            frames: .normal([5, 3, 48, 24], deviation: 1, seed: 7), lengths: [2, 3], isPadded: false,
            numbers: [JerseyNumber(tens: 4, ones: 8), JerseyNumber(tens: JerseyNumber.blank, ones: 7)])
        let losses = try (0..<8).map { _ in try learner.learn(from: batch).loss }
        #expect(losses.last! < losses.first! * 0.7)
    }

    @Test func `Where no number is seen, only readability is learned`() throws {
        var config = Sample.config("evidence_tied")
        config.optimizer.rates = .uniform
        let learner = Learner(
            JerseyModel(try config.spec(), seed: 1), config, schedule: .cosine(total: 100, warm: 0))
        let batch = LabelledBatch(
            frames: .normal([5, 3, 48, 48], deviation: 1, seed: 7), lengths: [2, 3], isPadded: false,
            numbers: [JerseyNumber(tens: 4, ones: 8), nil])
        let steps = try (0..<12).map { _ in try learner.learn(from: batch) }
        #expect(steps.allSatisfy { $0.tally.sequences == 2 && $0.readabilityLoss != nil })
        #expect(steps.last!.loss < steps.first!.loss * 0.7 && steps.last!.tally.numbers == 2)
        #expect(steps.last!.readabilityLoss!.item < steps.first!.readabilityLoss!.item)
    }
}

extension Splits {
    fileprivate static func sequencesOfTest(in run: RunFolder) -> Int {
        guard let config = try? RunConfig(overlays: [ConfigOverlay(file: run.config)]),
            let dataset = try? Dataset(config.data),
            let splits = try? Splits(contentsOf: run.splits)
        else { return -1 }
        return splits.sequences(.test, of: dataset).count
    }
}
