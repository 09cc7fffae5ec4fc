import Foundation

/// The Slurm commands that job arrays need. It does not use accounting (`sacct`), which many
/// clusters lack.
package struct Slurm: Sendable {
    /// One task of a job array, as listed by `squeue`.
    package struct Task: Sendable, Equatable {
        package let job: String
        package let index: Int
        /// Slurm's state, such as "PENDING", "RUNNING" or "TIMEOUT".
        package let state: String
        /// A `waitpid` status.
        package let status: Int32
        /// Slurm's reason for waiting or ending; "None" without one.
        package let why: String

        package init(job: String, index: Int, state: String, status: Int32, why: String) {
            self.job = job
            self.index = index
            self.state = state
            self.status = status
            self.why = why
        }

        package var isWaiting: Bool {
            ["PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"].contains(state)
        }

        /// Whether it ended for good.
        package var isOver: Bool {
            [
                "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY",
                "BOOT_FAIL", "DEADLINE",
                "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL",
            ].contains(state)
        }
    }

    /// A failed command.
    package struct Failure: Error, CustomStringConvertible {
        package let command: String
        /// The command's error message.
        package let message: String

        package static let notFound = "command not found"

        /// Whether Slurm did not respond. That may be temporary.
        package var isSilence: Bool {
            ["contact slurm controller", "timed out", "Connection refused", "Zero Bytes", "connect failure"]
                .contains {
                    message.contains($0)
                }
        }

        package var description: String {
            let advice =
                if message == Self.notFound {
                    "; run this on a machine with Slurm's commands, such as a login node"
                } else if isSilence || message.contains("configuration source") {
                    "; check with `sinfo` whether Slurm responds, and that SLURM_CONF names its configuration file"
                } else if remedy == .clusterOptions {
                    "; pass the options that your cluster requires, such as a partition and a time limit"
                } else {
                    ""
                }
            return "\(command): \(message)\(advice)"
        }

        /// What may help besides.
        package var remedy: Remedy? {
            if message == Self.notFound { return .launcher }
            let isRefusal = command == "sbatch" && !isSilence && !message.contains("configuration source")
            return isRefusal ? .clusterOptions : nil
        }

        package init(command: String, message: String) {
            self.command = command
            self.message = message
        }
    }

    package init() {}

    /// Submits a job array.
    ///
    /// - Parameters:
    ///   - arguments: options of `sbatch`, the script and the script's arguments.
    /// - Returns: the job's id.
    package func submit(_ arguments: [String]) throws -> String {
        let answer = try call("sbatch", ["--parsable"] + arguments)
        // The output can be "ID;CLUSTER".
        let id = answer.prefix { $0 != ";" }.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !id.isEmpty, id.allSatisfy(\.isNumber) else {
            throw Failure(command: "sbatch", message: "printed '\(answer)' instead of a job id")
        }
        return id
    }

    /// The tasks of jobs, including those that ended in the last minutes. Slurm forgets older jobs.
    ///
    /// - Parameter names: the jobs' names. Ids alone are ambiguous, because a cluster that is set
    ///   up again reuses them.
    package func tasks(of jobs: [String], names: [String]) throws -> [Task] {
        guard !jobs.isEmpty else { return [] }
        do {
            return Self.tasks(
                from: try call(
                    "squeue",
                    [
                        "--noheader", "--array", "--states=all", "--jobs=" + jobs.joined(separator: ","),
                        "--name=" + names.joined(separator: ","), "--Format=" + Self.format,
                    ]))
        } catch let failure as Failure where failure.message.contains("Invalid job id") {
            return []
        }
    }

    private static let format = "ArrayJobID:20|,ArrayTaskID:20|,State:20|,exit_code:20|,Reason:60|"

    package static func tasks(from text: String) -> [Task] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard fields.count >= 5, let index = Int(fields[1]) else { return nil }
            return Task(
                job: fields[0], index: index, state: fields[2], status: Int32(fields[3]) ?? 0, why: fields[4])
        }
    }

    /// The id of the user's job with this name and comment.
    ///
    /// - Parameter isActive: leaves out jobs that have ended.
    package func job(named name: String, comment: String, isActive: Bool = false) throws -> String? {
        let states = isActive ? [] : ["--states=all"]
        let lines = try call(
            "squeue", ["--noheader", "--me"] + states + ["--name=" + name, "--format=%F|%k"])
        return lines.split(separator: "\n").first { $0.hasSuffix("|\(comment)") }.map {
            String($0.prefix { $0 != "|" })
        }
    }

    /// Cancels the jobs. Their tasks get time to save.
    package func cancel(_ jobs: [String]) throws {
        do {
            _ = try call("scancel", jobs)
        } catch let failure as Failure
            where failure.message.contains("Invalid job id") || failure.message.contains("completed")
        {
            // The jobs have ended.
        }
    }

    /// - Returns: what the command wrote to standard output.
    private func call(_ command: String, _ arguments: [String]) throws -> String {
        // The user's defaults, such as SQUEUE_FORMAT or SCANCEL_INTERACTIVE, would break parsing.
        let environment = ProcessInfo.processInfo.environment.filter { key, _ in
            !key.hasPrefix("SQUEUE_") && !key.hasPrefix("SCANCEL_")
        }
        let program: ExternalProgram
        do {
            program = try ExternalProgram([command] + arguments, environment: environment)
        } catch {
            throw Failure(command: command, message: "cannot be started: \(error.localizedDescription)")
        }
        switch program.status {
        case 0: return String(decoding: program.output, as: UTF8.self)
        case ExternalProgram.notFound: throw Failure(command: command, message: Failure.notFound)
        case let status:
            let lines = program.complaints.map {
                $0.trimmingPrefix("\(command): ").trimmingPrefix("error: ").trimmingPrefix("fatal: ")
            }
            throw Failure(
                command: command,
                message: lines.isEmpty
                    ? "ended with status \(status)" : lines.suffix(2).joined(separator: "; ")
            )
        }
    }
}
