import Foundation
import Jersey
import TestSupport

@testable import JerseyLab

extension Reading {
    /// A reading in which each digit of `read` has the probability `certainty`, and the others
    /// share the rest.
    init(
        _ sequence: FrameSequence, read: String, certainty: Double = 0.9, heights: [Int] = [],
        attention: Bool = false
    ) {
        let number = JerseyNumber(read)!
        func logs(_ count: Int, _ index: Int) -> [Double] {
            (0..<count).map { log($0 == index ? certainty : (1 - certainty) / Double(count - 1)) }
        }
        let count = sequence.frames.count
        self.init(
            sequence: sequence,
            digits: DigitDistribution(tens: logs(11, number.tens), ones: logs(10, number.ones)),
            used: Array(0..<count),
            heights: heights,
            attention: attention ? [Double](repeating: 1 / Double(count), count: count) : nil, problems: [])
    }
}

extension FrameSequence {
    init(_ id: String, track: String, number: String?, frames: Int = 1) {
        self.init(
            id: id, track: track, number: number.flatMap { JerseyNumber($0) },
            frames: (0..<frames).map { "\(id)/\($0).jpg" },
            anchor: nil)
    }
}

extension RunFolder {
    /// Writes the files of a training that read the test sequences like this.
    func pretend(
        _ config: RunConfig, _ readings: [Reading], validation: Double = 0.9, seen: Set<JerseyNumber>? = nil,
        seconds: Double = 60
    ) throws {
        try create()
        let test = Evaluation(readings, seenNumbers: seen)
        func part(_ accuracy: Double, loss: Double) -> EpochMetrics.Part {
            EpochMetrics.Part(
                loss: loss, numberAccuracy: accuracy, tensAccuracy: accuracy, onesAccuracy: accuracy,
                fullAccuracy: nil,
                sequences: 10)
        }
        let rows = (1...3).map { (epoch: Int) -> EpochMetrics in
            return EpochMetrics(
                epoch: epoch, rateFactor: 1 / Double(epoch), train: part(0.3, loss: 3 / Double(epoch)),
                validation: part(epoch == 2 ? validation : validation / 2, loss: 4 / Double(epoch)),
                unreadableFiles: 0,
                best: epoch < 3, seconds: seconds / 3)
        }
        try RunFolder.write(config, to: self.config)
        try RunFolder.write(lines: rows, to: metrics)
        try RunFolder.write(lines: readings.map { Outcome($0) }, to: outcomes)
        try RunFolder.write(
            RunResult(
                model: config.model, encoder: "resnet18", parameters: 1000, seed: config.seed,
                published: false, epochs: 3,
                bestEpoch: 2, validation: rows[1].validation, test: test, trainSequences: 40,
                seconds: seconds, device: "cpu",
                libtorch: "2", host: nil),
            to: result)
    }
}

extension FinishedRun {
    /// A run that read the test sequences like this.
    init(
        reading readings: [Reading], model: String = "basic_r18", encoder: EncoderKind? = nil,
        fullWeight: Double = 0,
        seed: UInt64 = 1, validation: Double = 0.9, seen: Set<JerseyNumber>? = nil
    ) throws {
        let folder = try TestFolder()
        var config = RunConfig()
        (config.model, config.encoder, config.training.fullWeight, config.seed) = (
            model, encoder, fullWeight, seed
        )
        let run = RunFolder(folder.url.appendingPathComponent("\(model)-\(seed)"))
        try run.pretend(config, readings, validation: validation, seen: seen)
        try self.init(run)
        withExtendedLifetime(folder) {}
    }
}

extension RunGroup {
    /// Runs of one-frame sequences. Each row says what one run read right; `tracks` names the track
    /// of each sequence.
    init(_ name: String, _ rows: [[Bool]], tracks: [String], ids: [String]? = nil) throws {
        let runs = try rows.enumerated().map { seed, row in
            try FinishedRun(
                reading: row.enumerated().map { index, isRight in
                    Reading(
                        FrameSequence(ids?[index] ?? "s\(index)", track: tracks[index], number: "4"),
                        read: isRight ? "4" : "7")
                }, seed: UInt64(seed))
        }
        self.init(name: name, runs: runs)
    }
}

/// A finished experiment on the rendered sample data, in which every run has read every sequence.
/// It is written once and shared.
enum SampleExperiment {
    static let models = ["basic_mv3s", "seq_ugru_fs", "attn_ugru_gate"]
    static let seeds: [UInt64] = [1, 2]
    /// The model with the best validation, and the only one with weights.
    static let leader = "attn_ugru_gate"
    /// All runs confidently read something other than its label.
    static let mislabelled = "48/0001"

    static let folder: TestFolder = {
        do {
            let folder = try TestFolder()
            let experiment = try write(to: folder.url)
            var card = Checkpoint.Card(spec: try .named(leader, encoder: .mobilenetV3Small))
            (card.height, card.width) = (48, 24)
            try Checkpoint.write(
                JerseyModel(card.spec, seed: 1), card, to: experiment.run("\(leader)-1").best)
            return folder
        } catch {
            fatalError("the sample experiment cannot be written: \(error)")
        }
    }()

    static func experiment(_ folder: URL = folder.url) -> ExperimentFolder { ExperimentFolder(folder) }

    static func groups() throws -> [RunGroup] { try read.get() }

    private static let read = Result { try RunSelection([folder.url.path]).ranked }

    /// The leader misreads every sixth sequence, the others every fourth and third. Certainty
    /// decreases from sequence to sequence.
    static func readings(_ model: String, seed: UInt64) throws -> [Reading] {
        let sequences = try Dataset(Sample.config().data).sequences
        let place = models.firstIndex(of: model)!
        return sequences.enumerated().map { index, sequence in
            let isWrong = (index + Int(seed)).isMultiple(of: [3, 4, 6][place])
            let isMislabelled = sequence.track == mislabelled
            return Reading(
                sequence, read: isMislabelled ? "99" : isWrong ? "17" : sequence.number!.description,
                certainty: isMislabelled ? 0.999 : 0.95 - 0.01 * Double(index),
                heights: sequence.frames.map { _ in 10 + index },
                attention: model == leader)
        }
    }

    /// Another copy, without weights.
    @discardableResult
    static func write(to url: URL, finished: Bool = true) throws -> ExperimentFolder {
        let folder = ExperimentFolder(url)
        let yaml = """
            name: sample
            summary: Runs that were never trained
            models: [\(models.joined(separator: ", "))]
            seeds: [\(seeds.map(String.init).joined(separator: ", "))]
            settings:
              encoder: mobilenet_v3_small
              data: {path: \(Sample.folder.path("data")), height: 48, width: 24}
              training: {epochs: 3, batchSize: 4, threads: 1}
            """
        try folder.begin(try Experiment(yaml: yaml, source: "test"))
        for run in try folder.experiment().runs() where finished {
            let validation = 0.7 + 0.1 * Double(models.firstIndex(of: run.model)!) - 0.01 * Double(run.seed)
            try folder.run(run.id).pretend(
                run.config, readings(run.model, seed: run.seed), validation: validation)
        }
        return folder
    }
}
