import Foundation

/// Reads the unfinished shards of a manifest as tasks of one job array on a Slurm cluster that shares
/// the folder of results with this machine.
///
/// The array continues without its watcher, and the next one finds it in the queue. The folder
/// `slurm` holds `task.sh`, which every task executes, and the messages of each task.
package final class ShardArray {
    private let results: ShardedResults
    private let command: [String]
    private let jobs: Int
    private let options: [String]
    private let say: (String) -> Void
    private let slurm = Slurm()
    private var isSilent = false

    /// - Parameters:
    ///   - command: the words that read a shard, to be followed by the shard.
    ///   - jobs: the most tasks at once.
    ///   - options: for `sbatch`.
    ///   - say: shows a message to the user.
    package init(
        _ results: ShardedResults, command: [String], jobs: Int, options: [String],
        say: @escaping (String) -> Void
    ) {
        self.results = results
        self.command = command
        self.jobs = jobs
        self.options = options
        self.say = say
    }

    /// Submits the shards, unless they are in the queue already, and waits until their tasks end.
    ///
    /// - Parameter shouldStop: asks whether to cancel the array.
    /// - Returns: whether it was cancelled.
    /// - Throws: `Slurm.Failure`, and `FileError` if a file cannot be written.
    package func run(shouldStop: () -> Bool) throws -> Bool {
        let job: String
        if let known = try slurm.job(named: name, comment: files.path, isActive: true) {
            say("shards are still in Slurm job \(known); not submitting again")
            job = known
        } else {
            job = try submit(results.unfinished)
        }
        var next = ContinuousClock.now
        while true {
            if shouldStop() {
                try slurm.cancel([job])
                while try !tasks(of: job).isEmpty { Thread.sleep(forTimeInterval: 1) }
                return true
            }
            if .now >= next {
                let start = ContinuousClock.now
                if let left = try patiently({ try tasks(of: job) }), left.isEmpty { return false }
                // Poll a busy Slurm less often.
                next = .now + min(max((.now - start) * 10, .seconds(1)), .seconds(15))
            }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }

    private func submit(_ shards: [Int]) throws -> String {
        try FileManager.default.makeFolder(files)
        let script = files.appendingPathComponent("task.sh")
        try AtomicFile.write(Data(Self.script(command, of: results.description.shards)), to: script)
        let job = try slurm.submit(
            ["--output=\(files.path)/%a.log", "--open-mode=append", "--requeue"] + options + [
                "--array=\(Self.ranges(shards))%\(jobs)", "--job-name=\(name)", "--comment=\(files.path)",
                script.path,
            ])
        say("submitted \(shards.count) shard\(shards.count == 1 ? "" : "s") as Slurm job \(job)")
        return job
    }

    /// The tasks that have not ended.
    private func tasks(of job: String) throws -> [Slurm.Task] {
        try slurm.tasks(of: [job], names: [name]).filter { !$0.isOver }
    }

    /// Waits out an unresponsive controller: it usually returns, and running tasks do not need it.
    private func patiently<Result>(_ body: () throws -> Result) throws -> Result? {
        do {
            let result = try body()
            isSilent = false
            return result
        } catch let failure as Slurm.Failure where failure.isSilence {
            if !isSilent {
                say("Slurm does not respond (\(failure.message)); tasks continue, and it will be asked again")
            }
            isSilent = true
            return nil
        }
    }

    /// The script of all tasks, as bytes, because names of files may be any bytes.
    static func script(_ command: [String], of count: Int) -> [UInt8] {
        let words = command.map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
        return """
            #!/bin/bash
            # Reads one shard of a manifest. exec replaces the shell, so that jersey receives the signals.
            exec \(words) "$SLURM_ARRAY_TASK_ID/\(count)"

            """.fileSystemBytes
    }

    /// "1-3,7", as Slurm writes it.
    static func ranges(_ numbers: [Int]) -> String {
        numbers.ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    private var files: URL { results.folder.appendingPathComponent("slurm") }
    private var name: String { "jersey-shards" }
}

extension [Int] {
    /// The runs of consecutive numbers among ascending ones.
    var ranges: [ClosedRange<Int>] {
        reduce(into: []) { ranges, number in
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
    }
}
