import ArgumentParser

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Looks into the runs of an experiment, and compares its models.",
        discussion: """
            `list` and `show` read the experiment's database, runs.sqlite, which any SQL tool reads, too; `compare` reads the run \
            folders, since a comparison needs every test sequence.
            """,
        subcommands: [RunsListCommand.self, RunsShowCommand.self, RunsCompareCommand.self])
}
