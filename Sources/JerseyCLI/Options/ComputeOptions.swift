import ArgumentParser
import Jersey
import Torch

/// The device and threads for computation.
struct ComputeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads of libtorch (default: one per core).", valueName: "n"))
    var threads: Int?

    @Option(help: "Device for computation.")
    var device = Device.Choice.automatic

    func validate() throws {
        try Runtime.threadLimits.check(threads, "--threads")
    }

    /// Sets libtorch's thread count, if one is given.
    ///
    /// - Returns: the device.
    /// - Throws: `UsageError` if the device does not exist.
    func begin() throws -> Device {
        if let threads { Runtime.threads = threads }
        return try device.resolved()
    }
}

extension Device.Choice: ExpressibleByArgument {}

extension ClosedRange where Bound == Int {
    /// - Throws: `ValidationError` that names the flag if its value is out of range.
    func check(_ value: Int?, _ flag: String) throws {
        guard let value, !contains(value) else { return }
        throw ValidationError("\(flag) must be \(self), not \(value)")
    }
}
