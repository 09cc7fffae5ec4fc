/// A scheduler that tells each task of an array its place by environment variables.
package struct Scheduler: Catalogued {
    package static let kind = "scheduler"

    package let name: String
    /// The variable that holds the task's index.
    package let index: String
    /// The variable that holds the first index. Nil where it is 0.
    package let first: String?
    /// The variable that holds the last index, if there is one.
    package let last: String?
    /// The variable that holds the number of tasks, if there is one.
    package let count: String?

    /// The variables, in words.
    package var summary: String {
        [
            index, first.map { "from \($0) on" } ?? "from 0 on",
            count.map { "of \($0)" } ?? "of a number that you give",
        ]
        .joined(separator: ", ")
    }

    /// The order is that in which they are asked.
    package static let all = [
        Scheduler(
            name: "Slurm", index: "SLURM_ARRAY_TASK_ID", first: "SLURM_ARRAY_TASK_MIN",
            last: "SLURM_ARRAY_TASK_MAX", count: "SLURM_ARRAY_TASK_COUNT"),
        Scheduler(
            name: "AWS Batch", index: "AWS_BATCH_JOB_ARRAY_INDEX", first: nil, last: nil,
            count: "AWS_BATCH_JOB_ARRAY_SIZE"),
        Scheduler(
            name: "Kubernetes", index: "JOB_COMPLETION_INDEX", first: nil, last: nil, count: nil),
    ]

    /// The shard of this process, if it is a task of an array.
    ///
    /// - Parameters:
    ///   - count: the number of shards. Nil takes the number of tasks.
    ///   - environment: of the process.
    /// - Returns: nil if no scheduler says so.
    /// - Throws: `UsageError` if it does not say enough.
    package static func shard(of count: Int?, in environment: [String: String]) throws -> Shard? {
        guard let scheduler = all.first(where: { environment[$0.index] != nil }) else { return nil }
        return try scheduler.shard(of: count, in: environment)
    }

    private func shard(of given: Int?, in environment: [String: String]) throws -> Shard {
        func value(_ variable: String?) throws -> Int? {
            guard let variable, let text = environment[variable] else { return nil }
            guard let value = Int(text) else {
                throw UsageError("\(variable) is '\(Shown.text(text, limit: 40))', which is no whole number")
            }
            return value
        }
        let index = try value(index) ?? 0
        if let given {
            // Tasks that run again may be few of an array, so only the index counts.
            let number = first == nil ? index + 1 : index
            guard 1...given ~= number else {
                let range = first == nil ? "0 to \(given - 1)" : "1 to \(given)"
                throw UsageError(
                    "\(self.index) is \(index), but the tasks of \(given) shards in an array of \(name) are \(range)"
                )
            }
            return try Shard(number, of: given)
        }
        let start = try value(first) ?? 0
        guard let tasks = try value(count) else {
            throw UsageError(
                "\(name) does not say how many tasks there are; say how many shards", remedy: .shards)
        }
        if let end = try value(last), end - start + 1 != tasks {
            throw UsageError(
                "the array has \(tasks) tasks from \(start) to \(end), so these are not all shards; say how many there are",
                remedy: .shards)
        }
        return try Shard(index - start + 1, of: tasks)
    }
}
