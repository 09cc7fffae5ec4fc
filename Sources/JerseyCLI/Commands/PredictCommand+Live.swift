import ArgumentParser
import Foundation
import Jersey

/// Reading what comes while it is made: a live video, or an archive in standard input. Both give JSON
/// lines.
extension PredictCommand {
    /// The path of standard input.
    private static let standardInput = "-"

    var isLive: Bool {
        paths.count == 1 && paths.allSatisfy { $0 == Self.standardInput || LiveVideo.isAddress($0) }
    }

    func checkLive() throws {
        let others: [(name: String, isGiven: Bool)] = [
            ("--boxes", video.boxes != nil), ("--sheet", sheet != nil), ("--video", video.video != nil),
            ("--output", output != nil), ("--raw", raw), ("--tracks", tracks),
            ("--keep-tracks", video.keepTracks), ("--stride", video.stride != nil),
            ("--format \(format?.name ?? "")", format.map { $0.name != OutputFormat.jsonl.name } ?? false),
        ]
        guard let other = others.first(where: \.isGiven) else { return }
        throw ValidationError(
            "\(other.name) does not go with standard input or an address, which give lines of JSON on standard output"
        )
    }

    func readLive(_ roster: Roster?) throws {
        let signals = StopSignals()
        guard paths[0] == Self.standardInput else {
            return try readVideo(.address(paths[0]), roster, stoppedBy: signals)
        }
        let name = "standard input"
        guard isatty(STDIN_FILENO) == 0 else {
            throw FileError(name, "is a terminal", advice: "pipe an archive or a video into it")
        }
        let pipe = PipedInput { signals.isStopped }
        if signals.isStopped { throw ExitCode(130) }
        guard !pipe.isEmpty else {
            throw FileError(name, "is empty", advice: "pipe an archive or a video into it")
        }
        guard pipe.isArchive else { return try readVideo(.pipe(pipe), roster, stoppedBy: signals) }
        do {
            try readArchive(pipe, roster, stoppedBy: signals)
        } catch {
            // An archive that is not waited for seems to be cut off.
            if signals.isStopped { throw ExitCode(130) }
            throw error
        }
    }

    private func readVideo(_ source: LiveVideo.Source, _ roster: Roster?, stoppedBy signals: StopSignals)
        throws
    {
        try LivePrediction(
            options: live, tracking: tracking, teams: teams, recognizer: try recognizer(), roster: roster,
            usesAllThreads: options.compute.threads != nil
        ).run(source, stoppedBy: signals)
    }

    private func readArchive(_ input: PipedInput, _ roster: Roster?, stoppedBy signals: StopSignals) throws {
        guard !tracking.isGiven, teams.teamColours == nil, !live.isGiven else {
            throw UsageError(
                "--detect-every, --everyone, --team-colours, --reconnect and --all-frames are for a video, "
                    + "and standard input has an archive")
        }
        let stop = { if signals.isStopped { throw ExitCode(130) } }
        let recognizer = try recognizer()
        let stream = try ArchiveStream(input, called: "standard input")
        var (count, hasAnswers) = (0, false)
        var problems: [FrameProblem] = []
        // Frames are decoded while the model reads the batch before; a batch of one is to be answered at
        // once.
        let chunk = options.batchSize > 1 ? 4 * options.batchSize : 1
        while true {
            let sequences = try stream.next(chunk, progress: stop)
            guard !sequences.isEmpty else { break }
            let predictions = finished(try recognizer.predictions(of: sequences, progress: stop), roster)
            Console.printExactly(try OutputFormat.jsonl.text(.init(predictions: predictions)))
            // Whoever reads the answers may wait for them.
            fflush(nil)
            count += sequences.count
            hasAnswers = hasAnswers || predictions.contains(where: Self.isAnswer)
            problems += predictions.flatMap(\.leftOut).prefix(11)
        }
        guard count > 0 else { throw FileError("standard input", "holds no frames") }
        Console.report(problems, hint: "; the answers list all")
        guard hasAnswers else { throw ExitCode(1) }
    }
}
