import ArgumentParser
import Foundation
import Jersey
import JerseySynthesis
import Torch

struct SynthesizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthesize",
        abstract: "Renders sequences of players with numbered shirts, and the ground truth of every frame.",
        discussion: """
            Example: jersey synthesize --out sample --numbers 4,6,48,07 --tracks 5
            Like number crops from a broadcast: --framing number --numbers all --unreadable 0.1 --preview sheet.png

            Example: jersey synthesize --out match.mp4 --numbers 4,6,48,07 --frames 250
            """)

    /// Defaults. The options themselves are optional, so that a video can refuse each one given.
    private enum Usual {
        static let tracks = 10
        static let sequences = 2
        static let framing = Framing.body
        static let difficulty = Difficulty.real
        static let unreadable = 0.0
    }

    @Option(
        help: ArgumentHelp(
            "Output folder for a data set, or a video (mp4, mov or mkv); the players' boxes go beside a video.",
            valueName: "path"
        ))
    var out: String

    @Option(
        help: ArgumentHelp(
            "Numbers, ranges and weights, such as 7,07,10-19,48:2.5, or 'all'.", valueName: "list"))
    var numbers = "4,6,8,9,48,49,64,66,88,89"

    @Option(help: ArgumentHelp("Players per number (default: \(Usual.tracks)).", valueName: "n"))
    var tracks: Int?

    @Option(help: ArgumentHelp("Sequences per player (default: \(Usual.sequences)).", valueName: "n"))
    var sequences: Int?

    @Option(
        help: ArgumentHelp(
            "Frames per sequence, such as 8 or 5-16, or frames of the video.", valueName: "range"))
    var frames = "6-10"

    @Option(
        help: """
            What a frame shows: \(Framing.allCases.map(\.rawValue).joined(separator: " or ")) (default: \(Usual.framing.rawValue)).
            """)
    var framing: Framing?

    @Option(
        help: """
            \(Difficulty.all.map(\.name).joined(separator: " or ")): what a small model learns in minutes, or what broadcasts look like \
            (default: \(Usual.difficulty.name)). In a real video players turn, hide each other, come nearer and go away (default of \
            videos: easy).
            """)
    var difficulty: Difficulty?

    @Option(
        help: ArgumentHelp(
            "Frame heights in pixels, such as 64 or 20-200; heights of the players where a frame cuts off a part.",
            valueName: "range"))
    var height: String?

    @Option(
        help: ArgumentHelp(
            "Share of tracks whose number is never visible; they go into the folder 'unreadable' (default: 0).",
            valueName: "share"))
    var unreadable: Double?

    @Option(help: ArgumentHelp("Random seed; the same seed renders the same images.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Rendering threads (default: one per core).", valueName: "n"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Also draw some of the sequences, with the visible share of the number.", valueName: "file.png"))
    var preview: String?

    @Flag(help: "Write into a folder that is not empty, replacing the folders of the numbers.")
    var overwrite = false

    func validate() throws {
        try (1...100_000).check(tracks, "--tracks")
        try (1...1000).check(sequences, "--sequences")
        guard 0..<1 ~= unreadable ?? 0 else {
            throw ValidationError("--unreadable must be a share of at least 0 and below 1, such as 0.1")
        }
        try Runtime.threadLimits.check(threads, "--threads")
        _ = try frameRange()
        try checkVideo()
        _ = try height.map { try range($0, of: 8...1080, "--height", example: "20-200") }
    }

    private func range(_ text: String, of limits: ClosedRange<Int>, _ option: String, example: String) throws
        -> ClosedRange<Int>
    {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard 1...2 ~= ends.count, let first = ends[0], let last = ends[ends.count - 1], limits ~= first,
            first...limits.upperBound ~= last
        else {
            throw ValidationError(
                "\(option) must be a number or a range within \(limits.lowerBound)...\(limits.upperBound), such as \(example), "
                    + "not '\(text)'"
            )
        }
        return first...last
    }

    private func frameRange() throws -> ClosedRange<Int> {
        try range(frames, of: 1...(isVideo ? 1_000_000 : 512), "--frames", example: "6-10")
    }

    /// A video shows one player per number throughout, at a fixed size, so most options do not
    /// apply.
    private func checkVideo() throws {
        let ending = URL(fileURLWithPath: out).pathExtension.lowercased()
        guard isVideo || !VideoReader.endings.contains(ending) else {
            throw ValidationError("videos are written as mp4, mov or mkv, not as \(ending)")
        }
        guard isVideo else { return }
        for (option, isGiven) in [
            ("--tracks", tracks != nil), ("--sequences", sequences != nil), ("--framing", framing != nil),
            ("--height", height != nil), ("--unreadable", unreadable != nil),
            ("--threads", threads != nil), ("--preview", preview != nil),
        ] where isGiven {
            throw ValidationError("\(option) is for data sets, but \(out) is a video")
        }
    }

    private var isVideo: Bool { VideoWriter.canMake(out) }

    func run() throws {
        if isVideo { return try drawVideo() }
        try preview.map { try AtomicFile.check($0) }
        let heights = try height.map { try range($0, of: 8...1080, "--height", example: "20-200") }
        let dataset = SyntheticDataset(
            numbers: try NumberShare.list(numbers), tracksPerNumber: tracks ?? Usual.tracks,
            sequencesPerTrack: sequences ?? Usual.sequences, framesPerSequence: try frameRange(),
            unreadableShare: unreadable ?? Usual.unreadable,
            renderer: SyntheticRenderer(
                seed: seed, framing: framing ?? Usual.framing, difficulty: difficulty ?? Usual.difficulty,
                height: heights.map { Double($0.lowerBound)...Double($0.upperBound) }))
        let progress = ProgressLine("rendering", total: dataset.sequenceCount)
        try dataset.write(to: URL(fileURLWithPath: out), overwrite: overwrite, threads: threads) { _, _ in
            progress.advance()
        }
        progress.finish()
        Console.print("\(dataset.sequenceCount) sequences in \(out)")
        if let preview {
            try AtomicFile.write(dataset.preview().pngData(), to: URL(fileURLWithPath: preview))
            Console.print("preview in \(preview)")
        }
    }

    private func drawVideo() throws {
        let players = try NumberShare.list(numbers).map(\.number)
        let boxes = URL(fileURLWithPath: out).deletingPathExtension().appendingPathExtension("txt")
            .relativePath
        if !overwrite, let taken = [out, boxes].first(where: FileNames.exists) {
            throw FileError(taken, "already exists", advice: "choose another name or pass --overwrite")
        }
        var film = SyntheticVideo(numbers: players, frames: try frameRange().upperBound, seed: seed)
        film.isMatch = difficulty == .real
        let progress = ProgressLine("drawing", total: film.frames)
        try film.write(out, boxes: boxes, progress: progress.advance)
        progress.finish()
        Console.print(
            "\(film.frames) frames with \(players.count) player\(players.count == 1 ? "" : "s") in \(out), their boxes in \(boxes)"
        )
    }
}

extension Framing: ExpressibleByArgument {}

extension Difficulty: ExpressibleByArgument {
    package init?(argument: String) {
        guard let difficulty = Difficulty.all.first(where: { $0.name == argument }) else { return nil }
        self = difficulty
    }

    package var defaultValueDescription: String { name }
    package static var allValueStrings: [String] { all.map(\.name) }
}
