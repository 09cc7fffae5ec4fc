import ArgumentParser
import Foundation
import Jersey

/// Reading the shard of a manifest, which may be more than fits into memory. It gives JSON lines.
extension PredictCommand {
    func checkManifest() throws {
        let refused: [(String, Bool, String)] = [
            ("--output", output != nil, "--out has the results"),
            ("--sheet", sheet != nil, "it is for few sequences"),
            ("--video", video.video != nil, "it is for one video"),
            ("--boxes", video.boxes != nil, #"write {"path": …, "boxes": …}"#),
            (
                "--format \(format?.name ?? "")", format != nil && format?.name != OutputFormat.jsonl.name,
                "`jersey merge` writes other formats"
            ),
            ("--raw", raw, "it is for `jersey merge`"),
        ]
        for (flag, isGiven, why) in refused where isGiven {
            throw ValidationError("\(flag) does not go with --manifest; \(why)")
        }
    }

    func readManifest() throws {
        let list = try Manifest(manifest.manifest ?? "")
        func results(shards: Int) throws -> ShardedResults {
            try ShardedResults(
                URL(fileURLWithPath: manifest.out ?? ""),
                of: .init(list, shards: shards, settings: settings()))
        }
        if manifest.launch.launcher == .slurm {
            return try launch(results(shards: manifest.shards ?? 1))
        }
        let shard = try manifest.chosen()
        try read(shard, of: list, into: results(shards: shard.count))
    }

    /// Reads the shards as tasks of a job array.
    private func launch(_ results: ShardedResults) throws {
        let count = results.description.shards
        let again = "repeat the command to read the rest"
        if !results.unfinished.isEmpty {
            let threads = options.compute.threads ?? min(ProcessInfo.processInfo.activeProcessorCount, 4)
            let words = ManifestOptions.withoutLauncher(CommandLine.words)
            let array = ShardArray(
                results,
                command: [LaunchOptions.program.path] + words
                    + (options.compute.threads == nil ? ["--threads", "\(threads)"] : []) + ["--shard"],
                jobs: manifest.jobs ?? count,
                options: ["--cpus-per-task=\(threads)"] + manifest.launch.sbatchWords
            ) { Console.error($0) }
            let signals = StopSignals()
            guard try !array.run(shouldStop: { signals.isStopped }) else {
                Console.error("stopped; \(again)")
                throw ExitCode(130)
            }
        }
        let missing = results.unfinished
        guard missing.isEmpty else {
            let logs = results.folder.appendingPathComponent("slurm").path
            Console.error(
                "\(missing.count) of \(count) shards did not finish, such as \(missing[0]); \(logs)/\(missing[0]).log may say why; \(again)"
            )
            throw ExitCode(1)
        }
        Console.error(
            "all \(count) shards are finished; `jersey merge \(results.folder.path)` puts them together")
    }

    private func read(_ shard: Shard, of list: Manifest, into results: ShardedResults) throws {
        let name = "shard \(shard)"
        guard let part = try PartWriter(results, shard) else {
            return Console.error("\(name) is finished already; it is not read again")
        }
        if part.isResumed { Console.error("\(name): goes on with item \(part.rest.lowerBound)") }
        let roster = try roster.read()
        let signals = StopSignals()
        let recognizer = try recognizer()
        let progress = ProgressLine("reading", total: part.rest.count)
        var reader = ItemReader(
            recognizer, stopping: { if signals.isStopped { throw ExitCode(130) } },
            finished: { finished($0, roster) },
            video: { try read($0, boxes: $1, with: recognizer, roster).predictions })
        // What an earlier process has read counts as read.
        var (hasAnswers, failures) = (part.isResumed || part.rest.isEmpty, [ItemResult]())
        var items: [ItemReader.Item] = []
        func write() throws {
            let read = try reader.read(items)
            hasAnswers = hasAnswers || read.contains { $0.error == nil && Self.isAnswer($0.prediction) }
            failures += read.filter { $0.error != nil }.prefix(11)
            try part.add(read)
            for _ in items { progress.advance() }
            items = []
        }
        try list.read(part.rest) { number, item in
            items.append((number, item))
            if number + 1 == part.next.upperBound { try write() }
        }
        progress.finish()
        try part.finish()
        Console.list(failures, rest: "items that cannot be read; the results name all") {
            "item \($0.item): \($0.error ?? "")"
        }
        guard hasAnswers else { throw ExitCode(1) }
    }

    /// What the command does with the predictions of one item's sequences.
    func finished(_ predictions: [Prediction], _ roster: Roster?) -> [Prediction] {
        // Tracks of videos are whole, and constrained already.
        guard predictions.allSatisfy({ $0.span == nil }) else { return predictions }
        let joined =
            tracks ? Prediction.combined(predictions, keepingTracks: keepsTracks) : predictions
        return roster.map { roster in joined.map { $0.constrained(to: roster) } } ?? joined
    }

    /// What has an influence on the results, by flag.
    private func settings() throws -> [String: String] {
        func hash(_ file: String) throws -> String {
            String(try Data(reading: URL(fileURLWithPath: file)).withUnsafeBytes { fnv1a($0) }, radix: 16)
        }
        let source = options.source
        let settings: [String: String?] = [
            "jersey": jerseyVersion,
            "weights": try source.file.map(hash) ?? Checkpoint.bundledWord,
            "model": source.model, "encoder": source.encoder, "frame-size": source.frameSize,
            "published": source.published ? "yes" : nil,
            "batch-size": "\(options.batchSize)",
            "precision": options.compilation.precision.rawValue,
            "eager": options.compilation.eager ? "yes" : nil,
            "strict": options.strict ? "yes" : nil,
            "target": answering.target.map { "\($0)" },
            "anytime": stopping.anytime ? "yes" : nil,
            "box-columns": video.boxColumns,
            "first-frame": video.firstFrame.map { "\($0)" },
            "box-stride": video.boxStride.map { "\($0)" },
            "stride": video.stride.map { "\($0)" },
            "keep-tracks": video.keepTracks ? "yes" : nil,
            "skim": video.skim ? "yes" : nil,
            "detect-every": tracking.detectEvery.map { "\($0)" },
            "everyone": tracking.everyone ? "yes" : nil,
            "team-colours": teams.teamColours,
            "roster": try roster.roster.map(hash), "team": roster.team,
            "tracks": tracks ? "yes" : nil,
        ]
        return settings.compactMapValues { $0 }
    }
}
