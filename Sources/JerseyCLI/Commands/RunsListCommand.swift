import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct RunsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists all runs of an experiment.")

    @Argument(help: ArgumentHelp("The experiment's folder.", valueName: "folder"))
    var folder: String

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() throws {
        let records = try ExperimentFolder(URL(fileURLWithPath: folder)).records()
        if json {
            Console.printExactly(JSON.text(try JSON.output(records.map { ShownRun($0) })))
            return
        }
        func percent(_ share: Double?) -> String { Format.percent(share, places: 2) }
        let rows = records.map { record in
            [
                record.id, record.state, percent(record.validationAccuracy), percent(record.numberAccuracy),
                percent(record.tensAccuracy), percent(record.onesAccuracy),
                record.bestEpoch.map(String.init) ?? "-",
                Format.duration(record.seconds), record.host ?? "-",
                record.commit.map { String($0.prefix(10)) } ?? "-",
            ]
        }
        Console.print(
            Table(
                [
                    "run", "state", "validation", "number", "tens", "ones", "best epoch", "time", "host",
                    "commit",
                ], rows: rows))
        for record in records { if let reason = record.reason { Console.print("\(record.id): \(reason)") } }
    }
}
