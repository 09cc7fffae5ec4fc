import Foundation
import Jersey

/// The commands of a Slurm cluster, as far as experiments need them. Accounting (`sacct`) is not: many clusters have none.
struct Slurm: Sendable {
    /// One task of a job array, as the queue tells.
    struct Task: Sendable, Equatable {
        let job: String
        let index: Int
        /// In Slurm's words: "PENDING", "RUNNING", "TIMEOUT".
        let state: String
        /// As `waitpid` gives it.
        let status: Int32
        /// Why it waits, or why it ended, in Slurm's words; "None" where there is nothing to say.
        let why: String

        var isWaiting: Bool { ["PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"].contains(state) }

        /// Whether nothing of it runs any more, nor will.
        var isOver: Bool {
            [
                "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE",
                "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL",
            ].contains(state)
        }
    }

    /// A command that did not do what it was asked for.
    struct Failure: Error, CustomStringConvertible {
        let command: String
        /// What the command said.
        let message: String

        static let notFound = "there is no such command here"

        /// Whether Slurm was not there to answer, which may pass.
        var isSilence: Bool {
            ["contact slurm controller", "timed out", "Connection refused", "Zero Bytes", "connect failure"].contains {
                message.contains($0)
            }
        }

        var description: String {
            let advice =
                if message == Self.notFound {
                    "; run this where Slurm's commands are, such as a login node of the cluster, or with --launcher local"
                } else if isSilence || message.contains("configuration source") {
                    "; `sinfo` shows whether Slurm answers here, and SLURM_CONF names its configuration file"
                } else if command == "sbatch" {
                    "; --sbatch passes what the cluster asks for, such as --sbatch \"--partition=gpu --time=2:00:00\""
                } else {
                    ""
                }
            return "\(command): \(message)\(advice)"
        }
    }

    /// Submits a job array.
    ///
    /// - Parameters:
    ///   - arguments: of `sbatch`, with the script and its arguments.
    /// - Returns: the job's id.
    func submit(_ arguments: [String]) throws -> String {
        let answer = try call("sbatch", ["--parsable"] + arguments)
        // A cluster's name may follow.
        let id = answer.prefix { $0 != ";" }.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !id.isEmpty, id.allSatisfy(\.isNumber) else {
            throw Failure(command: "sbatch", message: "said '\(answer)' where the id of a job was expected")
        }
        return id
    }

    /// The tasks of jobs, those included that ended in the last minutes. Slurm forgets a job after a while.
    ///
    /// - Parameter names: of the jobs: ids alone are given anew once a cluster is set up anew.
    func tasks(of jobs: [String], names: [String]) throws -> [Task] {
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

    static func tasks(from text: String) -> [Task] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard fields.count >= 5, let index = Int(fields[1]) else { return nil }
            return Task(job: fields[0], index: index, state: fields[2], status: Int32(fields[3]) ?? 0, why: fields[4])
        }
    }

    /// The user's job with a name and a comment.
    func job(named name: String, comment: String) throws -> String? {
        let lines = try call("squeue", ["--noheader", "--me", "--states=all", "--name=" + name, "--format=%F|%k"])
        return lines.split(separator: "\n").first { $0.hasSuffix("|\(comment)") }.map { String($0.prefix { $0 != "|" }) }
    }

    /// Lets the jobs' tasks save, and ends them.
    func cancel(_ jobs: [String]) throws {
        do {
            _ = try call("scancel", jobs)
        } catch let failure as Failure where failure.message.contains("Invalid job id") || failure.message.contains("completed") {
            // They are over.
        }
    }

    /// - Returns: what the command wrote to standard output.
    private func call(_ command: String, _ arguments: [String]) throws -> String {
        // Habits of the user, such as SQUEUE_FORMAT or SCANCEL_INTERACTIVE, are for the user's own eyes.
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
                command: command, message: lines.isEmpty ? "ended with status \(status)" : lines.suffix(2).joined(separator: "; ")
            )
        }
    }
}
