import ArgumentParser
import Foundation
import Jersey

/// Where to run the runs of an experiment, or the shards of a manifest.
struct LaunchOptions: ParsableArguments {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case local, slurm
    }

    @Option(help: "Run processes on this machine, or a job array on a Slurm cluster.")
    var launcher = Kind.local

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Options for sbatch, such as \"--partition=gpu --time=2:00:00\". Repeatable.",
            valueName: "options"))
    var sbatch: [String] = []

    func validate() throws {
        guard sbatch.isEmpty || launcher == .slurm else {
            throw ValidationError("--sbatch needs --launcher slurm")
        }
    }

    /// The program that tasks run. The nodes must have it at the same path.
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()

    /// The options for sbatch, word by word.
    var sbatchWords: [String] { sbatch.flatMap { $0.split(separator: " ").map(String.init) } }
}
