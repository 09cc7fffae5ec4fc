import ArgumentParser
import Foundation
import Jersey
import JerseyLab

/// Where the runs of an experiment are run.
struct LaunchOptions: ParsableArguments {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case local
    }

    @Option(help: "Processes of this machine, or a job array on a Slurm cluster.")
    var launcher = Kind.local

    func launcher(_ folder: ExperimentFolder, jobs: Int) throws -> any Launcher {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        switch launcher {
        case .local: return LocalLauncher(executable: program, folder: folder, jobs: jobs)
        }
    }
}
