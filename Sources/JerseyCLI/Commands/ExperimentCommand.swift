import ArgumentParser

struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Trains many models over many seeds, and keeps track of them.",
        subcommands: [
            ExperimentRunCommand.self, ExperimentStatusCommand.self, ExperimentListCommand.self, ExperimentShowCommand.self,
            ExperimentTaskCommand.self,
        ])
}
