import Foundation
import Jersey
import JerseyLab

/// Where to run the runs of an experiment.
extension LaunchOptions {
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
        switch launcher {
        case .local: return LocalLauncher(executable: Self.program, folder: folder, jobs: jobs)
        case .slurm:
            return try SlurmLauncher(
                executable: Self.program, folder: folder, jobs: jobs,
                options: sbatchWords, say: say)
        }
    }
}
