import ArgumentParser
import Foundation
import Jersey
import JerseyLab

struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Analyzes runs: errors, confidences, learning curves, labels, costs.",
        discussion: """
            Analyses:
            \(Analysis.lines)

            Each analysis prints a table and writes JSON, PNG and SVG files. In an experiment it uses the model with the best \
            validation accuracy, and that model's best run; the test set decides nothing. To choose yourself, use --models or name \
            a run folder.

            Example: jersey analyze confusion runs/phaseB --models attn_bgru_luong
            """)

    @Argument(help: ArgumentHelp("The analysis to run.", valueName: "name"))
    var name: String

    @Argument(help: ArgumentHelp("Run or experiment folders.", valueName: "folder"))
    var folders: [String] = []

    @Option(help: ArgumentHelp("Output folder (default: beside the runs).", valueName: "folder"))
    var out: String?

    @Option(help: ArgumentHelp("Only these models, in this order.", valueName: "list"))
    var models: String?

    @Option(help: ArgumentHelp("Data set, if it has moved since the runs.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("Number of examples to show.", valueName: "n"))
    var count = 10

    @Option(help: ArgumentHelp("Seed for drawing random samples.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "The sequence to analyze: its id (as in outcomes.jsonl), its folder's path, or the folder's name if that is unique.",
            valueName: "id"))
    var sequence: String?

    @Option(
        help: ArgumentHelp(
            "The part to analyze: train, val, test or all. For any but test, the run's best weights read the sequences first.",
            valueName: "part"))
    var split = Splits.Part.test.rawValue

    @Flag(help: "Do not time backbones and heads; that takes a minute or more.")
    var noTimes = false

    func validate() throws {
        try (1...10_000).check(count, "--count")
    }

    func run() throws {
        let analysis = try Analysis.named(name)
        if !analysis.needsRuns, !folders.isEmpty || models != nil || data != nil || sequence != nil {
            throw UsageError(
                "\(name) analyzes model definitions, not runs or data; it takes no folder and no options except --out and --no-times"
            )
        }
        let part = try SplitOptions.part(split)
        var groups: [RunGroup] = []
        if !folders.isEmpty {
            var selection = try RunSelection(folders)
            for problem in selection.problems { Console.error("skipped: \(problem)") }
            try selection.keep(models?.split(separator: ",").map(String.init) ?? [])
            // Folders and models that you name keep their order.
            groups = models == nil && folders.count == 1 ? selection.ranked : selection.groups
        }
        var input = AnalysisInput(groups: groups)
        input.data = data
        input.count = count
        input.seed = seed
        input.sequence = sequence
        input.part = part
        input.measuresTimes = !noTimes
        input.progress = { Console.error($0) }
        let result = try analysis(input)
        Console.print(result.tables)
        for note in result.notes {
            Console.print()
            Console.print(note)
        }
        let folder =
            out.map { URL(fileURLWithPath: $0) } ?? defaultFolder(part == .test ? name : "\(name)-\(split)")
        try result.write(to: folder, name: analysis.name)
        Console.error()
        Console.error("files are in \(folder.relativePath)")
    }

    /// `plots/NAME` in a run; `analyses/NAME` in an experiment, or else in the working folder.
    private func defaultFolder(_ name: String) -> URL {
        guard folders.count == 1 else { return URL(fileURLWithPath: "analyses/\(name)") }
        let url = URL(fileURLWithPath: folders[0])
        return ExperimentFolder(url).exists
            ? url.appendingPathComponent("analyses/\(name)") : RunFolder(url).plots(of: name)
    }
}
