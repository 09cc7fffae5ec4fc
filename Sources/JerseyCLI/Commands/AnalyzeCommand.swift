import ArgumentParser
import Foundation
import Jersey
import JerseyLab

struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Looks into runs: errors, confidences, learning curves, labels, costs.",
        discussion: """
            Analyses:
            \(Analysis.lines)

            Each prints a table and writes JSON and pictures (PNG and SVG). Of an experiment it takes the model with the best \
            validation accuracy, and of a model the run with the best one; the test set chooses nothing. --models and naming a \
            run's folder choose otherwise.

            Example: jersey analyze confusion runs/phaseB --models attn_bgru_luong
            """)

    @Argument(help: ArgumentHelp("Which analysis.", valueName: "name"))
    var name: String

    @Argument(help: ArgumentHelp("Run folders, or experiments' folders.", valueName: "folder"))
    var folders: [String] = []

    @Option(help: ArgumentHelp("Where files go; beside the runs where not given.", valueName: "folder"))
    var out: String?

    @Option(help: ArgumentHelp("Only these models, in this order.", valueName: "list"))
    var models: String?

    @Option(help: ArgumentHelp("Data set, if it is not where the runs found it.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("Examples to show.", valueName: "n"))
    var count = 10

    @Option(help: ArgumentHelp("What random samples are drawn with.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "The sequence to look into: its id, as mistakes and outcomes.jsonl name it, its folder's path, or the folder's name where "
                + "it is the only one.", valueName: "id"))
    var sequence: String?

    @Option(
        help: ArgumentHelp(
            "The sequences to look into: train, val, test or all. Others than the test set's are read with the run's best weights first.",
            valueName: "part"))
    var split = Splits.Part.test.rawValue

    @Flag(help: "Leave out the times of backbones and heads, which take a minute or more to measure.")
    var noTimes = false

    func validate() throws {
        try (1...10_000).check(count, "--count")
    }

    func run() throws {
        let analysis = try Analysis.named(name)
        if !analysis.needsRuns, !folders.isEmpty || models != nil || data != nil || sequence != nil {
            throw UsageError(
                "\(name) looks at models as they are built, and at no runs or data; it takes no folder, and no options but --out and --no-times"
            )
        }
        let part = try SplitOptions.part(split)
        var groups: [RunGroup] = []
        if !folders.isEmpty {
            var selection = try RunSelection(folders)
            for problem in selection.problems { Console.error("left out: \(problem)") }
            try selection.keep(models?.split(separator: ",").map(String.init) ?? [])
            // Folders and models that were named have an order of their own.
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
        let folder = out.map { URL(fileURLWithPath: $0) } ?? defaultFolder(part == .test ? name : "\(name)-\(split)")
        try result.write(to: folder, name: analysis.name)
        Console.error()
        Console.error("files are in \(folder.relativePath)")
    }

    /// `plots/NAME` of a run, `analyses/NAME` of an experiment or of the working folder.
    private func defaultFolder(_ name: String) -> URL {
        guard folders.count == 1 else { return URL(fileURLWithPath: "analyses/\(name)") }
        let url = URL(fileURLWithPath: folders[0])
        return ExperimentFolder(url).exists ? url.appendingPathComponent("analyses/\(name)") : RunFolder(url).plots(of: name)
    }
}
