import ArgumentParser
import Jersey
import JerseyLab
import Torch

struct ProductionBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "production",
        abstract:
            "Measures one model in every precision and batch size, with its accuracy: the study's table 4.",
        discussion: """
            Example: jersey benchmark production --weights runs/small/best.safetensors --data crops
            """)

    @OptionGroup var source: CheckpointOptions

    @OptionGroup var compute: ComputeOptions

    @Option(
        help: ArgumentHelp("Labelled data set for comparing answers (default: none).", valueName: "folder"))
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
            sequences = try splitOptions.sequences(
                dataOptions.config(path: data), for: checkpoint.card, weights: source.file)
        }
        let result = try ProductionBenchmark(
            checkpoint, on: device, path: source.path, loader: loader, sequences: sequences,
            rounds: benchmark.rounds
        ) { Console.error($0) }
        let tables = [result.studyTable, result.formTable] + [result.answerTable].compactMap { $0 }
        try benchmark.write(tables, result.report, json: result, name: "production")
        for reason in result.leftOut { Console.error("skipped: \(reason)") }
    }
}
