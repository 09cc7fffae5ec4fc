import ArgumentParser

struct DatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset", abstract: "Inspects data sets and scores submissions.",
        subcommands: [InspectCommand.self, ScoreCommand.self])
}
