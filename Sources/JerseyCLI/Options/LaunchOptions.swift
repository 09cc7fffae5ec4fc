import ArgumentParser
import Foundation
import Jersey
import JerseyLab

/// Where to run the runs of an experiment.
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

    /// Threads per run, if its settings do not say. Local runs share this machine's cores; a
    /// cluster's core count is unknown.
    func threads(jobs: Int) -> Int {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return switch launcher {
        case .local: max(cores / jobs, 1)
        case .slurm: min(cores, 4)
        }
    }

    /// - Parameter say: shows a sentence to the user.
    func launcher(_ folder: ExperimentFolder, jobs: Int, say: @escaping (String) -> Void) throws
        -> any Launcher
    {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        switch launcher {
        case .local: return LocalLauncher(executable: program, folder: folder, jobs: jobs)
        case .slurm:
            return try SlurmLauncher(
                executable: program, folder: folder, jobs: jobs,
                options: sbatch.flatMap { $0.split(separator: " ").map(String.init) }, say: say)
        }
    }
}
