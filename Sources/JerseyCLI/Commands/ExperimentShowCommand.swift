import ArgumentParser
import Jersey
import JerseyLab

struct ExperimentShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints the file of an experiment that comes with jersey.")

    @Argument(help: ArgumentHelp("Name.", valueName: "name"))
    var name: String

    func run() throws {
        Console.printExactly(try ShippedExperiment.named(name).text)
    }
}
