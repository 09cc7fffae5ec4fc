import ArgumentParser

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures how fast models read here.",
        discussion: """
            Each prints tables and writes them as a page (HTML and Markdown) and as JSON. Everything is measured in turns and after a \
            warm-up, and the output says what is timed. A machine that does something else meanwhile measures that, too.
            """,
        subcommands: [InferenceBenchmarkCommand.self, ProductionBenchmarkCommand.self, AnytimeBenchmarkCommand.self])
}
