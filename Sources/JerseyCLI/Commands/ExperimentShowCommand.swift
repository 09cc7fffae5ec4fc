import ArgumentParser
import Jersey
import JerseyLab

struct ExperimentShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints the file of a shipped experiment.")

    @Argument(help: ArgumentHelp("Name of the experiment.", valueName: "name"))
    var name: String

    func run() throws {
        Console.printExactly(try ShippedExperiment.named(name).text)
    }
}
