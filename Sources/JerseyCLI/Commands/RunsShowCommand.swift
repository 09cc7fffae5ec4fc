import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

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
            throw UsageError.unknown(
                "run", id, among: records.map(\.id), advice: "`jersey runs list \(folder)` shows them")
        }
        let epochs = try RunDatabase(experiment: folder).epochs(of: id)
        if json {
            Console.printExactly(JSON.text(try JSON.output(ShownRun(record, epochs: epochs))))
            return
        }
        func four(_ value: Double?) -> String { Format.decimal(value, places: 4) }
        Console.print(
            Table(
                [],
                rows: [
                    ["run", record.id], ["state", record.state], ["attempts", "\(record.attempts)"],
                    ["started", Format.timestamp(record.started)],
                    ["finished", Format.timestamp(record.finished)],
                    ["training", Format.duration(record.seconds)], ["host", record.host ?? "-"],
                    ["commit", record.commit ?? "-"], ["reason", record.reason ?? "-"],
                    ["test number", four(record.numberAccuracy)], ["test tens", four(record.tensAccuracy)],
                    ["test ones", four(record.onesAccuracy)],
                    ["test sequences", record.testSequences.map(String.init) ?? "-"],
                    ["test loss", four(record.testLoss)],
                ]))
        if !epochs.isEmpty {
            let rows = epochs.map { row in
                [
                    "\(row.epoch)", four(row.trainLoss), four(row.trainNumberAccuracy),
                    four(row.validationLoss),
                    four(row.validationNumberAccuracy), Format.digits(row.rateFactor, 4),
                    Format.duration(row.seconds),
                    row.best ? "best" : "",
                ]
            }
            Console.print("")
            Console.print(
                Table(
                    ["epoch", "train loss", "number", "validation loss", "number", "rate ×", "time", ""],
                    rows: rows))
        }
        Console.print()
        Console.print("settings: \(record.config)")
    }
}
