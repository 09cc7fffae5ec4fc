import ArgumentParser

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Lists, shows and compares the runs of an experiment.",
        discussion: """
            `list` and `show` read the experiment's database, runs.sqlite, which you can also query with any SQL tool. `compare` reads \
            the run folders, because it needs every test sequence.
            """,
        subcommands: [RunsListCommand.self, RunsShowCommand.self, RunsCompareCommand.self])
}
