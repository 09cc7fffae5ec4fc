import Jersey
import Torch

/// How this process was started: by itself, or with others that train the same model.
package enum ProcessLaunch: Equatable {
    case alone
    /// By Open MPI's `mpirun`, or by `srun --mpi=pmix`.
    case openMPI

    /// - Parameter environment: of this process. Launchers of MPI leave their variables in it.
    /// - Throws: `UsageError` for a launcher of another MPI.
    package init(environment: [String: String]) throws {
        func count(_ names: String...) -> Int? {
            names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first
        }
        if let size = count("OMPI_COMM_WORLD_SIZE") {
            self = size > 1 ? .openMPI : .alone
        } else if environment["PMIX_RANK"] != nil {
            // PMIx tells the number of processes only when asked. Slurm tells it here.
            self = count("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS") == 1 ? .alone : .openMPI
        } else if environment["PMI_RANK"] != nil, count("PMI_SIZE") != 1 {
            throw UsageError(
                "this process was started together with others by MPICH, Intel MPI or Slurm's PMI (PMI_RANK is set), but "
                    + "only Open MPI is supported; use Open MPI's mpirun, or srun --mpi=pmix")
        } else {
            self = .alone
        }
    }

    /// The processes that this one was started with. A single process loads no MPI.
    ///
    /// - Parameter fail: shows why the processes are ended.
    /// - Throws: `UsageError` if MPI is missing or does not start.
    package func processes(fail: @escaping @Sendable (String) -> Void) throws -> any ProcessGroup {
        switch self {
        case .alone: SingleProcess()
        case .openMPI: try OpenMPI(fail: fail)
        }
    }
}
