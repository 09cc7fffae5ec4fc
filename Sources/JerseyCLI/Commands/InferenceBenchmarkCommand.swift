import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseySynthesis
import Torch

struct InferenceBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference",
        abstract: "Measures latency and throughput: the network alone, and from image files to answers.",
        discussion: """
            Without --weights, models have random weights; that does not change their speed.

            Example: jersey benchmark inference --models attn_bgru_luong,basic_r18 --threads 2
            """)

    @Option(help: ArgumentHelp("Models to measure (default: all).", valueName: "list"))
    var models: String?

    @Option(
        help: ArgumentHelp(
            "Measure the model in this file, or 'bundled', at its own input size.", valueName: "file"))
    var weights: String?

    @Flag(help: "Read the file as the study did, including its defects, if the file does not say how.")
    var published = false

    @Option(help: ArgumentHelp("Sequences in a batch.", valueName: "n"))
    var batch = 1

    @Option(help: ArgumentHelp("Frames in a sequence.", valueName: "n"))
    var frames = 16

    @Option(help: ArgumentHelp("Frame height in pixels.", valueName: "n"))
    var height = 192

    @Option(help: ArgumentHelp("Frame width in pixels.", valueName: "n"))
    var width = 96

    @OptionGroup var compute: ComputeOptions

    @OptionGroup var decoding: WorkerOptions

    @Option(
        help: ArgumentHelp(
            "Data set whose first sequences are read end to end (default: rendered players).",
            valueName: "folder"))
    var data: String?

    @OptionGroup var compilation: CompilationOptions

    @OptionGroup var benchmark: BenchmarkOptions

    func validate() throws {
        guard models == nil || weights == nil else {
            throw ValidationError("give either --models or --weights, not both")
        }
        guard weights != nil || !published else {
            throw ValidationError("--published needs a weight file; name it with --weights")
        }
        try (1...256).check(batch, "--batch")
        try (1...1024).check(frames, "--frames")
        try (16...2048).check(height, "--height")
        try (16...2048).check(width, "--width")
    }

    func run() throws {
        Runtime.keepMemory()
        let device = try compute.begin()
        let folder = try TemporaryFolder(.benchmark)
        defer { withExtendedLifetime(folder) {} }
        if data == nil { try SyntheticDataset.clips(batch, frames: frames).write(to: folder.url) }
        var config = DataConfig()
        config.path = data ?? folder.url.path
        let sequences = try Dataset(config).sequences.prefix(batch)
        guard sequences.count == batch else {
            throw UsageError("the data set has fewer than \(batch) sequences; use a smaller --batch")
        }
        let recognizers = try recognizers(on: device)
        let result = try InferenceBenchmark(
            recognizers, mode: compilation.mode(of: recognizers[0]), sequences: Array(sequences),
            rounds: benchmark.rounds)
        try benchmark.write([result.table], result.report, json: result, name: "inference")
    }

    private func recognizers(on device: Device) throws -> [Recognizer] {
        var options = Recognizer.Options()
        options.device = device
        compilation.apply(to: &options)
        options.batchSize = batch
        options.workers = decoding.workers
        options.singleFrame = .anchor
        options.isCalibrated = false
        if let weights {
            return [
                try Recognizer(
                    Checkpoint(named: weights, published: published), path: weights, options: options)
            ]
        }
        let specs = try models?.split(separator: ",").map { try ModelSpec.named(String($0)) } ?? ModelSpec.all
        return try specs.map { spec in
            var card = Checkpoint.Card(spec: spec)
            card.height = height
            card.width = width
            card.maximumFrames = frames
            let loader = SequenceLoader(card, singleFrame: options.singleFrame)
            let model = try JerseyModel(spec, seed: 1, device: device).compiled(as: options, card)
            return try Recognizer(model, card, loader, options)
        }
    }
}
