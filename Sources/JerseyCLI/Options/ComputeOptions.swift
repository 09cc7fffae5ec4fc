import ArgumentParser
import Jersey
import JerseyLab
import Torch

/// What a model computes on.
struct ComputeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads of libtorch (default: one on each core).", valueName: "n"))
    var threads: Int?

    @Option(help: "Where to compute.")
    var device = TrainingConfig.DeviceChoice.automatic

    func validate() throws {
        guard threads.map({ (1...1024).contains($0) }) ?? true else { throw ValidationError("--threads must be 1...1024") }
    }

    /// Has libtorch use as many threads as were asked for.
    ///
    /// - Returns: where to compute.
    /// - Throws: `UsageError` where there is no such device.
    func begin() throws -> Device {
        if let threads { Runtime.threads = threads }
        return try device.resolved()
    }
}

extension TrainingConfig.DeviceChoice: ExpressibleByArgument {}
