import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct RunsCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compares models over their seeds, and says which differences are more than noise.",
        discussion: """
            Every accuracy is a mean over seeds ± the standard deviation of the sample. Models are compared in pairs on the test \
            sequences that all have read: a bootstrap over tracks and seeds gives the interval of the difference, McNemar's exact \
            test a p-value, adjusted for the number of pairs. A difference counts where both agree. The others are compared with the \
            model of the best validation accuracy, or with the baseline that you name.

            Example, of an ablation: jersey runs compare runs/loss-ablation --baseline all-equal
            """)

    @Argument(help: ArgumentHelp("Folders of experiments or runs.", valueName: "folder"))
    var folders: [String]

    @Option(help: ArgumentHelp("Models to compare; all where not given.", valueName: "list"))
    var models: String?

    @Option(
        help: ArgumentHelp(
            "Also accuracy by \(Breakdown.Kind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "part"))
    var by: [Breakdown.Kind] = []

    @Option(
        help: ArgumentHelp(
            "The model or variant that the others are compared with: what improves on it, and what harms.", valueName: "name"))
    var baseline: String?

    @Flag(help: "All pairs, not only those with the best model.")
    var allPairs = false

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    func validate() throws {
        guard baseline == nil || !allPairs else {
            throw ValidationError("--baseline compares each model with one, and --all-pairs with all; leave one out")
        }
    }

    func run() throws {
        var selection = try RunSelection(folders)
        for problem in selection.problems { Console.error("left out: \(problem)") }
        try selection.keep(models?.split(separator: ",").map(String.init) ?? [])
        let statistics = ModelStatistics(selection.groups, baseline: try baseline.map { try selection.group($0).name })
        if json {
            Console.printExactly(JSON.text(try JSON.output(statistics)))
            return
        }
        var tables = [statistics.summaryTable, statistics.runTable]
        tables += [statistics.comparisonTable(allPairs: allPairs)].compactMap { $0 }
        tables += by.compactMap { Breakdown.table(selection.groups, by: $0) }
        Console.print(tables)
        for kind in by where Breakdown.table(selection.groups, by: kind) == nil {
            Console.error("the runs do not tell accuracy by \(kind.rawValue)")
        }
    }
}

extension Breakdown.Kind: ExpressibleByArgument {}
