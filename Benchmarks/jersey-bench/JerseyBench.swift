import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

/// jersey's side of `compare.py`: the same work as the scripts in `peers/`, one line of JSON each.
@main
struct JerseyBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jersey-bench", abstract: "Times training steps, loading and inference.",
        subcommands: [
            TrainingStepBench.self, LoadingBench.self, InferenceBench.self, SequencesBench.self,
            BookkeepingBench.self,
            ReferenceBench.self, RostersBench.self, WindowsBench.self, Cutouts.self, DetectBench.self,
        ])
}

/// Prints a line and flushes it: the parent process waits for it at the other end of a pipe.
func printJSON(_ values: some Encodable) throws {
    print(JSON.text(try JSON.line(values)))
    fflush(nil)
}

/// Reads a JSON Lines file.
func jsonLines<Row: Decodable>(_ path: String) throws -> [Row] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
        try JSON.decoded(from: Data($0.utf8))
    }
}

extension Array where Element == Double {
    fileprivate var median: Double { isEmpty ? .nan : sorted()[count / 2] }
}

struct TrainingStepBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "training-step",
        abstract: "Times forward, loss, backward, clip and Adam on random frames, in float32.")

    @Option var model = "attn_bgru_luong"
    @Option var threads = 2
    @Option var batch = 8
    @Option var frames = 8
    @Option var height = 192
    @Option var width = 96
    @Option var steps = 10
    @Option var warmup = 3

    func run() throws {
        Runtime.keepMemory()
        Runtime.threads = threads
        var config = RunConfig()
        config.model = model
        let model = JerseyModel(try config.spec(), seed: 1)
        let learner = Learner(model, config, schedule: .cosine(total: 1000, warm: 100))
        let lengths = Array(repeating: frames, count: batch)
        let pixels = (0..<batch * frames * height * width * 3).map {
            UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13)
        }
        let pictures = Tensor(pixels, shape: [batch * frames, height, width, 3])
        let numbers = (0..<batch).map { JerseyNumber.all[$0 * 7 % JerseyNumber.all.count] }
        var seconds: [Double] = []
        for step in 0..<warmup + steps {
            let labelled = LabelledBatch(
                frames: FramePreprocessor.normalized(pictures, on: .cpu), lengths: lengths, isPadded: false,
                numbers: numbers)
            let start = ContinuousClock.now
            _ = try learner.learn(from: labelled)
            if step >= warmup { seconds.append((ContinuousClock.now - start).seconds) }
        }
        try printJSON(["seconds_per_step": seconds.median, "steps": Double(steps)])
    }
}

struct InferenceBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference",
        abstract:
            "Times forward passes of one sequence: for each line of standard input, prints the seconds of each pass as JSON."
    )

    enum Form: String, CaseIterable, ExpressibleByArgument {
        case eager, float32, bfloat16, float16, int8
    }

    @Option var weights: String
    @Option(help: "uint8 (T, height, width, 3).") var input: String
    @Option var form = Form.float32
    @Option var device = Device.Choice.cpu
    @Option var threads = 2
    @Option var frames = 16
    @Option var height = 192
    @Option var width = 96
    @Option(help: "Sequences in a batch, all identical.") var batch = 1
    @Option var passes = 10
    @Option var warmup = 10
    @Flag(help: "Let cuDNN measure its algorithms.") var tune = false

    func run() throws {
        Runtime.keepMemory()
        Runtime.threads = threads
        Runtime.tuneConvolutions(tune)
        let device = try device.resolved()
        let network = try Checkpoint(contentsOf: URL(fileURLWithPath: weights)).model(
            on: device, path: weights)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: input)))
        guard bytes.count == frames * height * width * 3 else {
            throw ValidationError("\(input) has another size")
        }
        let sequence = FramePreprocessor.normalized(
            Tensor(bytes, shape: [frames, height, width, 3]), on: device)
        let rows = Tensor.concatenated(Array(repeating: sequence, count: batch), over: 0)
        let lengths = Array(repeating: frames, count: batch)
        var model = network.frozen()
        if let precision = Precision(rawValue: form.rawValue) {
            // Calibrate int8 on the frames themselves, as the peers do.
            let observer = RangeObserver()
            _ = withoutGradients { network.encode(sequence, Pass(ranges: observer)) }
            model = try network.compiled(precision, for: [frames, 3, height, width], ranges: observer.ranges)
        }
        func pass() -> JerseyModel.Output {
            defer { Runtime.finish(device) }
            return withoutGradients { model(rows, lengths: lengths) }
        }
        for _ in 0..<warmup { _ = pass() }
        let output = pass()
        try printJSON([
            "logits": Array(output.tens.floats.prefix(11) + output.ones.floats.prefix(10)).map(Double.init)
        ])
        while readLine() != nil {
            try printJSON([
                "seconds": (0..<passes).map { _ in
                    let start = ContinuousClock.now
                    _ = pass()
                    return (ContinuousClock.now - start).seconds
                }
            ])
        }
    }
}

struct LoadingBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loading",
        abstract: "Times decoding and augmenting one epoch of frames, after a warm-up epoch.")

    @Option var data: String
    @Option var workers = 2
    @Option var batch = 64
    @Option var frames = 16
    @Option var height = 192
    @Option var width = 96
    @Option var sequences: Int?

    func run() throws {
        Runtime.keepMemory()
        Runtime.threads = 1
        var config = RunConfig()
        config.data.path = data
        config.data.height = height
        config.data.width = width
        config.data.maximumFrames = frames
        let dataset = try Dataset(config.data)
        let chosen = Array(dataset.sequences.prefix(sequences ?? dataset.sequences.count))
        let loader = SequenceLoader(config, spec: try config.spec(), training: true)
        func epoch(_ index: Int) throws -> Int {
            let batches = BatchLoader(
                chosen.map { .init($0, seed: 1, epoch: index) }, batchSize: batch, loader: loader,
                workers: workers)
            var count = 0
            while let batch = try batches.next() {
                // Produce the network's input, as the peer's loader does.
                count += FramePreprocessor.normalized(batch.frames, on: .cpu).shape[0]
            }
            return count
        }
        _ = try epoch(0)
        let start = ContinuousClock.now
        let count = try epoch(1)
        try printJSON([
            "frames_per_second": Double(count) / (ContinuousClock.now - start).seconds,
            "frames": Double(count),
        ])
    }
}

struct BookkeepingBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bookkeeping",
        abstract: "Times what a run writes for observers: TensorBoard's rows, and progress.")

    @Option var epochs = 30

    func run() throws {
        let folder = RunFolder(
            URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
                "jersey-bookkeeping-\(UUID().uuidString)"))
        try folder.create()
        defer { try? FileManager.default.removeItem(at: folder.url) }
        let part =
            #"{"loss": 1, "number_accuracy": 0.5, "tens_accuracy": 0.5, "ones_accuracy": 0.5, "sequences": 100}"#
        let text = """
            {"epoch": 1, "rate_factor": 1, "train": \(part), "validation": \(part), "unreadable_files": 0, "best": true, "seconds": 1}
            """
        var row = try JSON.decoded(EpochMetrics.self, from: Data(text.utf8))
        let log = try TensorBoardLog(folder, rows: [])
        let start = ContinuousClock.now
        for epoch in 1...epochs {
            row.epoch = epoch
            try log.append(row)
        }
        let middle = ContinuousClock.now
        for batch in 1...100 {
            RunProgress(epoch: 1, epochs: epochs, batch: batch, batches: 100, seconds: 1).write(
                to: folder.progress)
        }
        try printJSON([
            "seconds_per_epoch": (middle - start).seconds / Double(epochs),
            "seconds_per_progress": (ContinuousClock.now - middle).seconds / 100,
        ])
    }
}

extension Device.Choice: ExpressibleByArgument {}
