import ArgumentParser
import Jersey
import Torch

/// What a model computes on.
struct ComputeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads of libtorch (default: one on each core).", valueName: "n"))
    var threads: Int?

    @Option(help: "Where to compute.")
    var device = Device.Choice.automatic

    func validate() throws {
        try Runtime.threadLimits.check(threads, "--threads")
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

extension Device.Choice: ExpressibleByArgument {}

extension ClosedRange where Bound == Int {
    /// - Throws: `ValidationError` that names the flag, where its value is not in the range.
    func check(_ value: Int?, _ flag: String) throws {
        guard let value, !contains(value) else { return }
        throw ValidationError("\(flag) must be \(self), and not \(value)")
    }
}
