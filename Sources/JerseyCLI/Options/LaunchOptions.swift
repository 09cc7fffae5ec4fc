import ArgumentParser
import Foundation
import Jersey
import JerseyLab

/// Where the runs of an experiment are run.
struct LaunchOptions: ParsableArguments {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case local, slurm
    }

    @Option(help: "Processes of this machine, or a job array on a Slurm cluster.")
    var launcher = Kind.local

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "What Slurm needs to know, such as \"--partition=gpu --time=2:00:00\"; may be repeated.", valueName: "options"))
    var sbatch: [String] = []

    func validate() throws {
        guard sbatch.isEmpty || launcher == .slurm else { throw ValidationError("--sbatch is for --launcher slurm") }
    }

    /// Threads of a run whose settings do not say: this machine's cores are shared by the runs, and a cluster's are not known.
    func threads(jobs: Int) -> Int {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return switch launcher {
        case .local: max(cores / jobs, 1)
        case .slurm: min(cores, 4)
        }
    }

    /// - Parameter say: takes sentences for the user.
    func launcher(_ folder: ExperimentFolder, jobs: Int, say: @escaping (String) -> Void) throws -> any Launcher {
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
