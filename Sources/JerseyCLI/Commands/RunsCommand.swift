import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Looks into the runs of an experiment, and compares its models.",
        discussion: """
            `list` and `show` read the experiment's database, runs.sqlite, which any SQL tool reads, too; `compare` reads the run \
            folders, since a comparison needs every test sequence.
            """,
        subcommands: [RunsListCommand.self, RunsShowCommand.self, RunsCompareCommand.self])
}

struct RunsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists all runs of an experiment.")

    @Argument(help: ArgumentHelp("The experiment's folder.", valueName: "folder"))
    var folder: String

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() throws {
        let records = try ExperimentFolder(URL(fileURLWithPath: folder)).records()
        if json {
            Console.printExactly(JSON.text(try JSON.readable(records.map { ShownRun($0) }, snakeCase: true)))
            return
        }
        func percent(_ value: Double?) -> String { value.map { String(format: "%.2f%%", $0 * 100) } ?? "-" }
        let rows = records.map { record in
            [
                record.id, record.state, percent(record.validationAccuracy), percent(record.numberAccuracy),
                percent(record.tensAccuracy), percent(record.onesAccuracy), record.bestEpoch.map(String.init) ?? "-",
                record.seconds.map(Console.duration) ?? "-", record.host ?? "-",
                record.commit.map { String($0.prefix(10)) } ?? "-",
            ]
        }
        Console.print(
            Table(["run", "state", "validation", "number", "tens", "ones", "best epoch", "time", "host", "commit"], rows: rows))
        for record in records { if let reason = record.reason { Console.print("\(record.id): \(reason)") } }
    }
}

struct RunsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows one run: its times, epochs, result and settings.")

    @Argument(help: ArgumentHelp("The experiment's folder.", valueName: "folder"))
    var folder: String

    @Argument(help: ArgumentHelp("The run's name, as `jersey runs list` shows it.", valueName: "run"))
    var id: String

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    func run() throws {
        let records = try ExperimentFolder(URL(fileURLWithPath: folder)).records()
        guard let record = records.first(where: { $0.id == id }) else {
            throw UsageError.unknown("run", id, among: records.map(\.id), advice: "`jersey runs list \(folder)` shows them")
        }
        let epochs = try RunDatabase(experiment: folder).epochs(of: id)
        if json {
            Console.printExactly(JSON.text(try JSON.readable(ShownRun(record, epochs: epochs), snakeCase: true)))
            return
        }
        func share(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }
        func date(_ value: Date?) -> String { value.map { $0.formatted(.iso8601) } ?? "-" }
        Console.print(
            Table(
                [],
                rows: [
                    ["run", record.id], ["state", record.state], ["attempts", "\(record.attempts)"],
                    ["started", date(record.started)], ["finished", date(record.finished)],
                    ["training", record.seconds.map(Console.duration) ?? "-"], ["host", record.host ?? "-"],
                    ["commit", record.commit ?? "-"], ["reason", record.reason ?? "-"],
                    ["test number", share(record.numberAccuracy)], ["test tens", share(record.tensAccuracy)],
                    ["test ones", share(record.onesAccuracy)], ["test sequences", record.testSequences.map(String.init) ?? "-"],
                    ["test loss", share(record.testLoss)],
                ]))
        if !epochs.isEmpty {
            let rows = epochs.map { row in
                [
                    "\(row.epoch)", share(row.trainLoss), share(row.trainNumberAccuracy), share(row.validationLoss),
                    share(row.validationNumberAccuracy), String(format: "%.4g", row.rateFactor), Console.duration(row.seconds),
                    row.best ? "best" : "",
                ]
            }
            Console.print("")
            Console.print(
                Table(
                    ["epoch", "train loss", "number", "validation loss", "number", "rate ×", "time", ""], rows: rows))
        }
        Console.print()
        Console.print("settings: \(record.config)")
    }
}

/// A run as JSON has it: its row, and what the row holds as text, as values.
private struct ShownRun: Encodable {
    let run: RunRecord
    var epochs: [EpochRecord]?

    init(_ run: RunRecord, epochs: [EpochRecord]? = nil) { (self.run, self.epochs) = (run, epochs) }

    private enum CodingKeys: String, CodingKey {
        case config, result, epochs
    }

    func encode(to encoder: any Encoder) throws {
        try run.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.value(run.config), forKey: .config)
        try container.encode(run.result.map(Self.value), forKey: .result)
        try container.encodeIfPresent(epochs, forKey: .epochs)
    }

    private static func value(_ text: String) throws -> ConfigTree { try JSON.decoded(from: Data(text.utf8)) }
}

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
            Console.printExactly(JSON.text(try JSON.readable(statistics, snakeCase: true)))
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
