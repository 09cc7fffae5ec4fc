import ArgumentParser

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures how fast models run on this machine.",
        discussion: """
            Each benchmark prints tables and writes them as HTML, Markdown and JSON. Measurements alternate after a warm-up, and the \
            output says what is timed. Run on an otherwise idle machine.
            """,
        subcommands: [
            InferenceBenchmarkCommand.self, ProductionBenchmarkCommand.self, AnytimeBenchmarkCommand.self,
        ])
}
