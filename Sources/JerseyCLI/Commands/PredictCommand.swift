import ArgumentParser
import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Reads numbers from folders or archives of frames, or from tracked players in a video.",
        discussion: """
            A path is a folder of frames, a tree of such folders, a zip or tar file of either, or image files (files from one folder \
            form one sequence). Frames are read in natural order of their names, or in the study's order if the model was trained so; \
            they need no labels or anchors. A sequence longer than the model's input is read in windows, which are then combined.

            A path may also be a video. People in it are found and followed, and the answer is a table of players: team, number, and \
            when they are seen. With the boxes of your own tracker in --boxes, each track gets a row; a track in which the player changes \
            gets one for each player.

            --manifest reads a long list of any of these, or one shard of it, and writes results that `jersey merge` puts together. Schedulers \
            whose variables say which shard a task reads, if --shard does not:
            \(Scheduler.lines)

            The path - is standard input. An archive is read while it comes: each folder in it is answered with a line of JSON. Anything \
            else is taken for a live video: MPEG-TS, Matroska or fragmented MP4. So is an address (rtsp, rtsps, rtp, udp, tcp, srt, http, \
            https). A line of JSON is written whenever a number is sure, when it changes, and when a track ends.

            Output formats:
            \(OutputFormat.lines)

            Example: jersey predict new/track_17 --format json

            Example: jersey predict crops.zip --roster squad.csv --team Reds

            Example: jersey predict match.mp4 --roster squads.csv --video read.mp4

            Example: jersey predict match.mp4 --boxes tracks.txt --format json

            Example: jersey predict --manifest list.jsonl --shard 17/1000 --out results

            Example: jersey predict rtsp://camera.example.org/1 --roster squads.csv
            """)

    @OptionGroup var options: WeightOptions

    @OptionGroup var answering: TargetOptions

    @OptionGroup var stopping: AnytimeOptions

    @OptionGroup var video: VideoOptions

    @OptionGroup var tracking: TrackingOptions

    @OptionGroup var teams: TeamOptions

    @OptionGroup var roster: RosterOptions

    @OptionGroup var manifest: ManifestOptions

    @OptionGroup var live: LiveOptions

    @Argument(
        help: ArgumentHelp(
            "Folders, archives or image files; or one video, the address of a live one, or - for standard input.",
            valueName: "path"))
    var paths: [String] = []

    @Option(help: "Output format, one of the above (default: by the extension of --output, or table).")
    var format: OutputFormat?

    @Option(
        help: ArgumentHelp(
            "Write to this file instead of the terminal; - is standard output.", valueName: "file"))
    var output: String?

    @Flag(
        help: """
            Write names into CSV exactly as they are. By default, invisible characters are escaped, and a cell that a spreadsheet would \
            take for a formula gets a leading apostrophe.
            """)
    var raw = false

    @Flag(help: "Print one row per track, combining the evidence of its sequences.")
    var tracks = false

    @Option(
        help: ArgumentHelp(
            "Also draw the frames with their weights and the numbers (PNG or HTML).", valueName: "file"))
    var sheet: String?

    func validate() throws {
        guard manifest.isGiven != !paths.isEmpty else {
            throw ValidationError(
                paths.isEmpty
                    ? "name a path to read, or a --manifest" : "a --manifest lists the paths; name no others")
        }
        guard live.isGiven ? isLive : true else {
            throw ValidationError("--reconnect and --all-frames need an address, or - for standard input")
        }
        if manifest.isGiven { return try checkManifest() }
        if isLive { return try checkLive() }
        try video.checkBoxes()
        guard video.boxes == nil || paths.count == 1 else {
            throw ValidationError("--boxes takes one video, not \(paths.count) paths")
        }
        guard isVideo || !paths.contains(where: VideoReader.isVideo) else {
            throw ValidationError("a video is read by itself; give one path, not \(paths.count)")
        }
        guard !video.keepTracks || isVideo || tracks else {
            throw ValidationError("--keep-tracks needs tracks: a video's, or folders with --tracks")
        }
        guard video.video == nil || isVideo else { throw ValidationError("--video needs a video to read") }
        guard isFollowed || (!tracking.isGiven && teams.teamColours == nil) else {
            throw ValidationError(
                "--detect-every, --everyone and --team-colours need a video whose people are followed, without --boxes"
            )
        }
        guard !raw || written.hasCells else { throw ValidationError("--raw needs --format csv") }
        guard !written.needsBoxes || isVideo else {
            throw ValidationError("--format \(written.name) needs a video")
        }
    }

    private var isVideo: Bool {
        video.boxes != nil || (paths.count == 1 && paths.allSatisfy(VideoReader.isVideo))
    }

    /// Whether we follow the people ourselves.
    private var isFollowed: Bool { isVideo && video.boxes == nil }

    /// The file to write to; nil for standard output.
    private var file: String? { ["-", "/dev/stdout"].contains(output) ? nil : output }

    /// The output format in effect.
    private var written: OutputFormat {
        let ending = output.flatMap { OutputFormat.find(URL(fileURLWithPath: $0).pathExtension.lowercased()) }
        return format ?? ending ?? .table
    }

    /// Whether a track in which the player changes has one answer. A submission names each track
    /// once.
    var keepsTracks: Bool { video.keepTracks || written.needsWholeTracks }

    func checkOutputs() throws {
        let inputs = paths + [video.boxes, roster.roster, options.file].compactMap { $0 }
        try file.map { try AtomicFile.check($0, unlike: inputs) }
        try sheet.map { try PredictionSheet.check($0, unlike: inputs) }
        try video.video.map { try VideoWriter.check($0, unlike: inputs) }
        let outputs = [file, sheet, video.video].compactMap { $0 }
        guard
            Set(outputs.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }).count
                == outputs.count
        else {
            throw UsageError("--output, --sheet and --video must name different files")
        }
        try file.map(OutputFormat.checkName)
    }

    func run() throws {
        if manifest.isGiven { return try readManifest() }
        try checkOutputs()
        let roster = try roster.read()
        if isLive { return try readLive(roster) }
        let predictions = try isVideo ? readVideo(roster) : readFolders(roster)
        if let roster { RosterOptions.report(predictions, roster) }
        reportPieces(predictions)
        let mixed = predictions.filter(\.isMixed)
        Console.list(mixed, rest: "such sequences; see windows_against in --format json") {
            let most = $0.top.first?.number.description ?? "the most probable"
            return
                "warning: \($0.sequence): \($0.disagreeingWindows ?? 0) of \($0.windows ?? 0) windows are confident of a number other than \(most); is this one player?"
        }
        guard predictions.contains(where: Self.isAnswer) else { throw ExitCode(1) }
    }

    /// An abstention is an answer. Output with NaN or infinity is not.
    static func isAnswer(_ prediction: Prediction) -> Bool {
        prediction.number != nil || (prediction.unreadable && prediction.digits != nil)
            || prediction.conflict != nil
    }

    /// Says which tracks were cut.
    private func reportPieces(_ predictions: [Prediction]) {
        let pieces = Dictionary(grouping: predictions.filter { $0.pieceOf != nil }) { $0.pieceOf ?? "" }
        let cut = predictions.compactMap {
            $0.track == pieces[$0.pieceOf ?? ""]?.first?.track ? $0.pieceOf : nil
        }
        Console.list(cut, rest: "such tracks; see piece_of in --format json") { track in
            let players = (pieces[track] ?? []).map { piece in
                let frames = piece.span.map { ", frames \($0.lowerBound) to \($0.upperBound)" } ?? ""
                return "\(piece.answer) (\(piece.track)\(frames))"
            }
            return
                "note: track \(track) changes players: \(players.joined(separator: ", then ")); --keep-tracks keeps it whole"
        }
    }

    func recognizer() throws -> Recognizer {
        let recognizer = try options.recognizer {
            $0.target = answering.target
            $0.earlyExit = stopping.anytime
            $0.skims = video.skim
            if let stride = video.stride {
                $0.stride = stride
                $0.boxSelection = .every(stride)
            }
            $0.keepsTracks = keepsTracks
        }
        if recognizer.card.calibration == nil {
            Console.error(
                "note: these weights are not calibrated, so every sequence gets an answer; "
                    + "run `jersey calibrate` to enable abstention"
            )
        }
        return recognizer
    }

    private func readFolders(_ roster: Roster?) throws -> [Prediction] {
        // Handle signals, so that unpacked files are removed.
        let signals = paths.contains(where: UnpackedArchive.isArchive) ? StopSignals() : nil
        let checkCancelled = { if signals?.isStopped == true { throw ExitCode(130) } }
        let found = try UnlabelledSequences(paths, unpacking: checkCancelled)
        let sequences = found.sequences
        let recognizer = try recognizer()
        let progress = ProgressLine("reading", total: recognizer.windowCount(of: sequences))
        var predictions = try recognizer.predictions(of: sequences) {
            progress.advance()
            try checkCancelled()
        }
        progress.finish()
        if tracks { predictions = Prediction.combined(predictions, keepingTracks: keepsTracks) }
        if let roster { predictions = predictions.map { $0.constrained(to: roster) } }
        try write(predictions, empty: found.emptyFolders)
        if let sheet { try draw(predictions, sequences, to: sheet) }
        Console.report(predictions.flatMap(\.leftOut), hint: "; --format json lists all")
        return predictions
    }

    /// What was read in a video.
    struct Film {
        var predictions: [Prediction]
        var crops: [String: RGBImage]
        let boxes: TrackBoxes
        /// Nil if the boxes are another tracker's.
        var players: PlayerTable?
    }

    /// - Parameters:
    ///   - boxes: a file with a tracker's boxes; nil follows the people ourselves.
    ///   - shown: how many tracks to keep crops of.
    func read(
        _ path: String, boxes file: String?, with recognizer: Recognizer, _ roster: Roster?, shown: Int = 0
    ) throws -> Film {
        let followed = try file == nil ? tracking.follow(path) : nil
        let boxes =
            try followed?.boxes ?? video.trackBoxes(file ?? "", in: path, strict: options.strict)
        guard !boxes.boxes.isEmpty else {
            throw FileError(
                path, "shows nobody who could be followed",
                advice:
                    "try \(tracking.everyone ? "a video in which players are larger" : "--everyone, if they stand beside a playing area")"
            )
        }
        var (predictions, crops) = try video.read(
            path, boxes, with: recognizer, isOurs: followed != nil, shown: shown)
        if let roster { predictions = predictions.map { $0.constrained(to: roster) } }
        guard let followed else {
            return Film(predictions: Prediction.grouped(predictions), crops: crops, boxes: boxes)
        }
        let table = PlayerTable(
            predictions, in: followed, teams: Teams(followed), roster: roster, names: try teams.names())
        return Film(predictions: table.predictions, crops: crops, boxes: boxes, players: table)
    }

    private func readVideo(_ roster: Roster?) throws -> [Prediction] {
        let film = try read(
            paths[0], boxes: video.boxes, with: recognizer(), roster,
            shown: sheet == nil ? 0 : PredictionSheet.maximumRows)
        let (predictions, boxes, players) = (film.predictions, film.boxes, film.players)
        try write(predictions, boxes: boxes, players: players)
        if let sheet {
            try PredictionSheet.write(
                predictions, players: players.map { ($0, paths[0]) }, to: URL(fileURLWithPath: sheet)
            ) { film.crops[$0] }
        }
        // Flush first: drawing may take minutes, and the user may stop it.
        fflush(nil)
        try video.annotate(paths[0], boxes, predictions, players)
        return predictions
    }

    private func draw(_ predictions: [Prediction], _ sequences: [FrameSequence], to sheet: String) throws {
        let shown = Set(predictions.prefix(PredictionSheet.maximumRows).map { $0.pieceOf ?? $0.sequence })
        let files = Dictionary(
            sequences.filter { shown.contains(tracks ? $0.track : $0.id) }.flatMap { sequence in
                sequence.frames.indices.map { (sequence.frames[$0], sequence.file($0)) }
            }, uniquingKeysWith: { first, _ in first })
        try PredictionSheet.write(predictions, to: URL(fileURLWithPath: sheet)) { name in
            try? RGBImage(contentsOf: URL(fileURLWithPath: files[name] ?? name))
        }
    }

    /// - Parameter empty: folders without frames, which a submission must list as well.
    private func write(
        _ predictions: [Prediction], boxes: TrackBoxes? = nil, players: PlayerTable? = nil,
        empty: [String] = []
    ) throws {
        let text = try written.text(
            OutputFormat.Content(
                predictions: predictions, isRaw: raw, boxes: boxes, players: players, emptyFolders: empty))
        Console.list(empty, rest: "folders without frames") { "\($0) contains no frames" }
        guard let file else { return Console.printExactly(text) }
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: file))
    }
}
