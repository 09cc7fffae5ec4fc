import ArgumentParser
import Jersey
import JerseyLab
import JerseyOutput

struct ExperimentListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the experiments shipped with jersey.")

    func run() throws {
        let rows = ShippedExperiment.all.map { [$0.name, "\($0.experiment.runCount)", $0.summary] }
        Console.print(Table(["name", "runs", "what"], rows: rows))
        Console.print()
        Console.print("`jersey experiment show NAME` prints an experiment's file; copy it to start your own.")
    }
}
