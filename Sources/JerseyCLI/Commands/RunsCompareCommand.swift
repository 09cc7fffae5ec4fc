import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct RunsCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares models across seeds, and shows which differences are significant.",
        discussion: """
            Accuracies are means over seeds ± the sample standard deviation. Models are compared in pairs, on the test sequences that all \
            of them read. A bootstrap over tracks and seeds gives the interval of the difference; McNemar's exact test gives a p-value, \
            adjusted for the number of pairs. A difference is significant if both agree. The others are compared with the model that has \
            the best validation accuracy, or with your --baseline.

            Example, an ablation: jersey runs compare runs/loss-ablation --baseline all-equal
            """)

    @Argument(help: ArgumentHelp("Experiment or run folders.", valueName: "folder"))
    var folders: [String]

    @Option(help: ArgumentHelp("Models to compare (default: all).", valueName: "list"))
    var models: String?

    @Option(
        help: ArgumentHelp(
            "Also show accuracy by \(Breakdown.Kind.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "part"))
    var by: [Breakdown.Kind] = []

    @Option(
        help: ArgumentHelp(
            "Model or variant to compare the others with.", valueName: "name"))
    var baseline: String?

    @Flag(help: "Compare all pairs, not only those with the best model.")
    var allPairs = false

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    func validate() throws {
        guard baseline == nil || !allPairs else {
            throw ValidationError("give either --baseline or --all-pairs, not both")
        }
    }

    func run() throws {
        var selection = try RunSelection(folders)
        for problem in selection.problems { Console.error("skipped: \(problem)") }
        try selection.keep(models?.split(separator: ",").map(String.init) ?? [])
        let statistics = ModelStatistics(
            selection.groups, baseline: try baseline.map { try selection.group($0).name })
        if json {
            Console.printExactly(JSON.text(try JSON.output(statistics)))
            return
        }
        var tables = [statistics.summaryTable, statistics.runTable]
        tables += [statistics.comparisonTable(allPairs: allPairs)].compactMap { $0 }
        tables += by.compactMap { Breakdown.table(selection.groups, by: $0) }
        Console.print(tables)
        for kind in by where Breakdown.table(selection.groups, by: kind) == nil {
            Console.error("the runs have no data on accuracy by \(kind.rawValue)")
        }
    }
}

extension Breakdown.Kind: ExpressibleByArgument {}
