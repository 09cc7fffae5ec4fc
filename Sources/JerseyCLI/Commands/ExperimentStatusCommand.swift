import ArgumentParser
import Foundation
import Jersey
import JerseyLab

struct ExperimentStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the progress of an experiment.")

    @Argument(help: ArgumentHelp("The experiment's folder.", valueName: "folder"))
    var folder: String

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() throws {
        let folder = ExperimentFolder(URL(fileURLWithPath: self.folder))
        let status = try ExperimentStatus(folder)
        if json {
            Console.printExactly(JSON.text(try JSON.output(status)))
            return
        }
        let overview = ExperimentOverview(name: try folder.experiment().name, status: status)
        Console.print(overview.headline)
        Console.print()
        Console.print(overview.table)
        for line in overview.failures { Console.print(line) }
    }
}
