import ArgumentParser
import Foundation
import Jersey

/// A manifest, and which part of it to read where to.
struct ManifestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Read what this file lists, one JSON object a line: {"path": …}, with "boxes" and "id" if you like. A path may also be \
            archive.zip#folder.
            """, valueName: "file"))
    var manifest: String?

    @Option(help: ArgumentHelp("Folder for the results of a manifest.", valueName: "folder"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            """
            Read only this part of the manifest, such as 17/1000, the seventeenth of a thousand (default: the one that the variables \
            of Slurm, AWS Batch or Kubernetes name, or all).
            """, valueName: "n/count"))
    var shard: String?

    @Option(
        help: ArgumentHelp("How many shards there are, where the variables do not say.", valueName: "count"))
    var shards: Int?

    @OptionGroup var launch: LaunchOptions

    @Option(help: ArgumentHelp("With --launcher slurm, the most shards at once.", valueName: "n"))
    var jobs: Int?

    var isGiven: Bool { manifest != nil }

    func validate() throws {
        guard (manifest == nil) == (out == nil) else {
            throw ValidationError(
                manifest == nil
                    ? "--out needs --manifest" : "--manifest needs --out, a folder for the results")
        }
        guard manifest != nil || (shard == nil && shards == nil) else {
            throw ValidationError("--shard and --shards need --manifest")
        }
        guard shard == nil || shards == nil else {
            throw ValidationError("--shard says how many shards there are; leave out --shards")
        }
        guard jobs == nil || launch.launcher == .slurm else {
            throw ValidationError("--jobs needs --launcher slurm")
        }
        guard launch.launcher == .local || (shards != nil && shard == nil) else {
            throw ValidationError("--launcher slurm needs --manifest and --shards, and reads all shards")
        }
        try (1...1_000_000).check(jobs, "--jobs")
        try Shard.counts.check(shards, "--shards")
        _ = try shard.map { try Shard($0) }
    }

    /// The shard of this process: the one that is given, the task's, or all.
    func chosen(in environment: [String: String] = ProcessInfo.processInfo.environment) throws -> Shard {
        if let shard { return try Shard(shard) }
        if let task = try Scheduler.shard(of: shards, in: environment) { return task }
        guard let shards, shards > 1 else { return try Shard(1, of: 1) }
        let variables = Scheduler.all.map(\.index).joined(separator: ", ")
        throw UsageError(
            "which of \(shards) shards is this? Give --shard 1/\(shards) to --shard \(shards)/\(shards), or run it as a task of an array (\(variables))"
        )
    }

    /// The words of a call with those of the launcher left out, as its tasks are called.
    static func withoutLauncher(_ words: [String]) -> [String] {
        let names = ["--launcher", "--sbatch", "--jobs", "--shards"]
        var left: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if names.contains(word) {
                _ = rest.popFirst()
            } else if !names.contains(where: { word.hasPrefix("\($0)=") }) {
                left.append(word)
            }
        }
        return left
    }
}
