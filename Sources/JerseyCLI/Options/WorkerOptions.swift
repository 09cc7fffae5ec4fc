import ArgumentParser
import Jersey

/// How many threads decode frames.
struct WorkerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads that decode frames.", valueName: "n"))
    var workers = 2

    func validate() throws {
        try BatchLoader.workerLimits.check(workers, "--workers")
    }
}
