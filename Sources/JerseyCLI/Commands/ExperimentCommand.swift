import ArgumentParser

struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Trains several models over several seeds and tracks the runs.",
        subcommands: [
            ExperimentRunCommand.self, ExperimentStatusCommand.self, ExperimentListCommand.self,
            ExperimentShowCommand.self,
            ExperimentTaskCommand.self,
        ])
}
