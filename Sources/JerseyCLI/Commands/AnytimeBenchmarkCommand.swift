import ArgumentParser
import Jersey
import JerseyLab
import Torch

struct AnytimeBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anytime",
        abstract: "Measures throughput against accuracy when reading stops early (--anytime).",
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
        guard !recognizer.reader.pads else {
            throw UsageError(
                "--published models read all frames at once and cannot stop early; use other weights")
        }
        let sequences = try splitOptions.sequences(
            dataOptions.config(path: data), for: recognizer.card, weights: options.file)
        let result = try AnytimeBenchmark(
            recognizer, mode: options.compilation.mode(of: recognizer), sequences: sequences,
            rounds: benchmark.rounds ?? 3)
        try benchmark.write([result.table], result.report, json: result, name: "anytime")
    }
}
