import ArgumentParser

struct DatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset", abstract: "Looks into data sets.", subcommands: [InspectCommand.self, ScoreCommand.self])
}
