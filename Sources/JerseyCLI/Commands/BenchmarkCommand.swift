import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures how fast models read here.",
        discussion: """
            Each prints tables and writes them as a page (HTML and Markdown) and as JSON. Everything is measured in turns and after a \
            warm-up, and the output says what is timed. A machine that does something else meanwhile measures that, too.
            """,
        subcommands: [InferenceBenchmarkCommand.self, ProductionBenchmarkCommand.self, AnytimeBenchmarkCommand.self])
}

/// How long to measure, and where results go.
struct BenchmarkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Readings of each time (default: as many as half a minute has, 5 to 101; 3 of anytime reading).", valueName: "n"))
    var rounds: Int?

    @Option(help: ArgumentHelp("Where files go; benchmarks/NAME where not given.", valueName: "folder"))
    var out: String?

    func validate() throws {
        guard rounds.map({ (1...10_000).contains($0) }) ?? true else { throw ValidationError("--rounds must be 1...10000") }
    }

    func write(_ tables: [Table], _ report: Report, json: some Encodable, name: String) throws {
        Console.print(tables)
        let folder = URL(fileURLWithPath: out ?? "benchmarks/\(name)")
        try report.write(to: folder)
        try AtomicFile.write(JSON.readable(json, snakeCase: true), to: folder.appending(path: "\(name).json"))
        Console.error()
        Console.error("files are in \(folder.relativePath)")
    }
}

struct InferenceBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference",
        abstract: "Latency and throughput of models: the network alone, and from image files to answers.",
        discussion: """
            Without --weights models have random ones, with which they take as long.

            Example: jersey benchmark inference --models attn_bgru_luong,basic_r18 --threads 2
            """)

    @Option(help: ArgumentHelp("Models to measure; all where not given.", valueName: "list"))
    var models: String?

    @Option(
        help: ArgumentHelp(
            "Measure the model in this file, or the one that is 'bundled', at its own size of frames.", valueName: "file"))
    var weights: String?

    @Flag(help: "Read that file as the study read its own, defects included, where the file does not say.")
    var published = false

    @Option(help: ArgumentHelp("Sequences that are read at once.", valueName: "n"))
    var batch = 1

    @Option(help: ArgumentHelp("Frames of a sequence.", valueName: "n"))
    var frames = 16

    @Option(help: ArgumentHelp("Height of frames, pixels.", valueName: "n"))
    var height = 192

    @Option(help: ArgumentHelp("Width of frames, pixels.", valueName: "n"))
    var width = 96

    @OptionGroup var compute: ComputeOptions

    @Option(help: ArgumentHelp("Threads that decode frames.", valueName: "n"))
    var workers = 2

    @Option(
        help: ArgumentHelp(
            "Data set whose first sequences are read end to end; rendered players where not given.", valueName: "folder"))
    var data: String?

    @OptionGroup var compilation: CompilationOptions

    @OptionGroup var benchmark: BenchmarkOptions

    func validate() throws {
        guard models == nil || weights == nil else { throw ValidationError("name models, or a file with --weights, not both") }
        guard weights != nil || !published else {
            throw ValidationError("--published says how a weight file is read; name it with --weights")
        }
        guard (1...256).contains(batch), (1...1024).contains(frames), (1...256).contains(workers) else {
            throw ValidationError("--batch must be 1...256, --frames 1...1024 and --workers 1...256")
        }
        guard (16...2048).contains(height), (16...2048).contains(width) else {
            throw ValidationError("--height and --width must be 16...2048")
        }
    }

    func run() throws {
        Runtime.keepMemory()
        let device = try compute.begin()
        let folder = try TemporaryFolder(.benchmark)
        defer { withExtendedLifetime(folder) {} }
        if data == nil { try InferenceBenchmark.render(sequences: batch, frames: frames, to: folder.url) }
        var config = DataConfig()
        config.path = data ?? folder.url.path
        let sequences = try Dataset(config).sequences.prefix(batch)
        guard sequences.count == batch else {
            throw UsageError("the data set has fewer than \(batch) sequences; ask for a smaller --batch")
        }
        let recognizers = try recognizers(on: device)
        let result = try InferenceBenchmark(
            recognizers, form: compilation.form(of: recognizers[0]), sequences: Array(sequences), rounds: benchmark.rounds)
        try benchmark.write([result.table], result.report, json: result, name: "inference")
    }

    private func recognizers(on device: Device) throws -> [Recognizer] {
        var options = Recognizer.Options()
        options.device = device
        compilation.apply(to: &options)
        options.batchSize = batch
        options.workers = workers
        options.singleFrame = .anchor
        options.isCalibrated = false
        if let weights {
            return [try Recognizer(Checkpoint(named: weights, published: published), path: weights, options: options)]
        }
        let specs = try models?.split(separator: ",").map { try ModelSpec.named(String($0)) } ?? ModelSpec.all
        return try specs.map { spec in
            var card = Checkpoint.Card(spec: spec)
            (card.height, card.width, card.maximumFrames) = (height, width, frames)
            let loader = SequenceLoader(card, singleFrame: options.singleFrame)
            return try Recognizer(JerseyModel(spec, seed: 1, device: device), card, loader, options)
        }
    }
}

struct ProductionBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "production",
        abstract: "One model in every form and batch size, and what each costs in accuracy: the study's table 4.",
        discussion: """
            Example: jersey benchmark production --weights runs/small/best.safetensors --data crops
            """)

    @OptionGroup var source: CheckpointOptions

    @OptionGroup var compute: ComputeOptions

    @Option(help: ArgumentHelp("Labelled data set on which answers are compared; none are where not given.", valueName: "folder"))
    var data: String?

    @OptionGroup var dataOptions: DataOptions

    @OptionGroup var splitOptions: SplitOptions

    @OptionGroup var benchmark: BenchmarkOptions

    func run() throws {
        Runtime.keepMemory()
        let device = try compute.begin()
        let checkpoint = try source.checkpoint()
        let loader = try SequenceLoader(checkpoint, singleFrame: .anchor, path: source.path)
        var sequences: [FrameSequence] = []
        if let data {
            sequences = try splitOptions.sequences(dataOptions.config(path: data), for: checkpoint.card, weights: source.file)
        }
        let result = try ProductionBenchmark(
            checkpoint, on: device, path: source.path, loader: loader, sequences: sequences, rounds: benchmark.rounds
        ) { Console.error($0) }
        let tables = [result.studyTable, result.formTable] + [result.answerTable].compactMap { $0 }
        try benchmark.write(tables, result.report, json: result, name: "production")
        for reason in result.leftOut { Console.error("left out: \(reason)") }
    }
}

struct AnytimeBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anytime",
        abstract: "Sequences a second against accuracy, when reading stops as soon as the answer is certain enough.",
        discussion: """
            Example: jersey benchmark anytime --data crops --split all --precision int8
            """)

    @OptionGroup var options: WeightOptions

    @Option(help: ArgumentHelp("Labelled data set.", valueName: "folder"))
    var data: String

    @OptionGroup var dataOptions: DataOptions

    @OptionGroup var splitOptions: SplitOptions

    @OptionGroup var benchmark: BenchmarkOptions

    func run() throws {
        Runtime.keepMemory()
        let recognizer = try options.recognizer()
        guard !recognizer.reader.pads else { throw UsageError("models that behave as published read all frames at once") }
        let sequences = try splitOptions.sequences(dataOptions.config(path: data), for: recognizer.card, weights: options.file)
        let result = try AnytimeBenchmark(
            recognizer, form: options.compilation.form(of: recognizer), sequences: sequences,
            rounds: benchmark.rounds ?? 3)
        try benchmark.write([result.table], result.report, json: result, name: "anytime")
    }
}
