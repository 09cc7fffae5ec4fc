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

            Example: jersey synthesize --out sample.mp4 --numbers 4,6,48,07 --frames 250
            Example: jersey synthesize --out match.mp4 --match 30 --cuts 2

            --match films two teams on one pitch, with a camera that follows play. Beside the video lie the boxes of \
            all people as MOT text (class 1 and 2: the players of the teams, 3: goalkeepers, 4: referees; 5: people \
            beside the pitch, with a 0 in the seventh column because they do not count; the ninth column is the visible \
            share), and a JSON file that says who wears which number and where the film was cut.
            """)

    /// Defaults. The options themselves are optional, so that a video or a match can refuse each one
    /// given.
    private enum Usual {
        static let numbers = "4,6,8,9,48,49,64,66,88,89"
        static let frames = "6-10"
        static let tracks = 10
        static let sequences = 2
        static let framing = Framing.body
        static let difficulty = Difficulty.real
        static let unreadable = 0.0
    }

    @Option(
        help: ArgumentHelp(
            "Output folder for a data set, or a video (mp4, mov or mkv); the players' boxes go beside a video. A match in a folder has the layout of MOTChallenge.",
            valueName: "path"
        ))
    var out: String

    @Option(
        help: ArgumentHelp(
            "Numbers, ranges and weights, such as 7,07,10-19,48:2.5, or 'all' (default: \(Usual.numbers)).",
            valueName: "list"))
    var numbers: String?

    @Option(help: ArgumentHelp("Players per number (default: \(Usual.tracks)).", valueName: "n"))
    var tracks: Int?

    @Option(help: ArgumentHelp("Sequences per player (default: \(Usual.sequences)).", valueName: "n"))
    var sequences: Int?

    @Option(
        help: ArgumentHelp(
            "Frames per sequence, such as 8 or 5-16, or frames of the video (default: \(Usual.frames)).",
            valueName: "range"))
    var frames: String?

    @Option(
        help: ArgumentHelp(
            "Instead of single players, a match of this length: two teams on one pitch, 25 frames a second.",
            valueName: "seconds"))
    var match: Double?

    @Option(help: ArgumentHelp("Cuts in the film of a match (default: 0).", valueName: "n"))
    var cuts: Int?

    @Option(
        help: ArgumentHelp(
            "Size of a match's picture (default: \(PictureSize.usual.description)).",
            valueName: "width>x<height"))
    var size: PictureSize?

    @Option(
        help: """
            What a frame shows: \(Framing.allCases.map(\.rawValue).joined(separator: " or ")) (default: \(Usual.framing.rawValue)).
            """)
    var framing: Framing?

    @Option(
        help: """
            \(Difficulty.all.map(\.name).joined(separator: " or ")): what a small model learns in minutes, or what broadcasts look like \
            (default: \(Usual.difficulty.name)).
            """)
    var difficulty: Difficulty?

    @Option(
        help: ArgumentHelp(
            "Frame heights in pixels, such as 64 or 20-200; heights of the players where a frame cuts off a part, and in the middle of a match's picture.",
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
        try checkKind()
        _ = try heights()
        try checkMatch()
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
        try range(
            frames ?? Usual.frames, of: 1...(isVideo ? 1_000_000 : 512), "--frames",
            example: Usual.frames)
    }

    private func heights() throws -> ClosedRange<Double>? {
        try height.map { try range($0, of: 8...1080, "--height", example: "20-200") }
            .map { Double($0.lowerBound)...Double($0.upperBound) }
    }

    /// Most options are for data sets only: a video of single players shows one per number
    /// throughout, at a fixed size, and a match two teams.
    private func checkKind() throws {
        let ending = URL(fileURLWithPath: out).pathExtension.lowercased()
        guard isVideo || !VideoReader.endings.contains(ending) else {
            throw ValidationError("videos are written as mp4, mov or mkv, not as \(ending)")
        }
        let isMatch = match != nil
        if !isMatch {
            for (option, isGiven) in [("--cuts", cuts != nil), ("--size", size != nil)] where isGiven {
                throw ValidationError("\(option) is for a match; add --match SECONDS")
            }
        }
        guard isVideo || isMatch else { return }
        for (option, isGiven) in [
            ("--tracks", tracks != nil), ("--sequences", sequences != nil), ("--framing", framing != nil),
            ("--unreadable", unreadable != nil), ("--preview", preview != nil),
            ("--difficulty", difficulty != nil), ("--height", height != nil && !isMatch),
            ("--threads", threads != nil && !isMatch),
        ] where isGiven {
            throw ValidationError(
                "\(option) is for data sets, but \(out) is a \(isMatch ? "match" : "video")")
        }
        for (option, isGiven) in [("--numbers", numbers != nil), ("--frames", frames != nil)]
        where isGiven && isMatch {
            throw ValidationError("\(option) is not for a match, whose numbers come from --seed")
        }
    }

    private func checkMatch() throws {
        guard let match else { return }
        guard 0.04...3600 ~= match else {
            throw ValidationError("--match must be 0.04...3600 seconds, not \(match)")
        }
        guard 0..<film(match).frames ~= cuts ?? 0 else {
            throw ValidationError(
                "--cuts must be at least 0, and fewer than the \(film(match).frames) frames")
        }
    }

    private var isVideo: Bool { VideoWriter.canMake(out) }

    func run() throws {
        if let match { return try drawMatch(match) }
        if isVideo { return try drawVideo() }
        try preview.map { try AtomicFile.check($0) }
        let dataset = SyntheticDataset(
            numbers: try NumberShare.list(numbers ?? Usual.numbers), tracksPerNumber: tracks ?? Usual.tracks,
            sequencesPerTrack: sequences ?? Usual.sequences, framesPerSequence: try frameRange(),
            unreadableShare: unreadable ?? Usual.unreadable,
            renderer: SyntheticRenderer(
                seed: seed, framing: framing ?? Usual.framing, difficulty: difficulty ?? Usual.difficulty,
                height: try heights()))
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
        let players = try NumberShare.list(numbers ?? Usual.numbers).map(\.number)
        let boxes = beside("txt")
        try check([out, boxes])
        let film = SyntheticVideo(numbers: players, frames: try frameRange().upperBound, seed: seed)
        let progress = ProgressLine("drawing", total: film.frames)
        try film.write(out, boxes: boxes, progress: progress.advance)
        progress.finish()
        Console.print(
            "\(film.frames) frames with \(players.count) player\(players.count == 1 ? "" : "s") in \(out), their boxes in \(boxes)"
        )
    }

    private func film(_ seconds: Double) -> SyntheticMatch {
        var film = SyntheticMatch(frames: 0, seed: seed)
        film.frames = max(1, Int((seconds * film.rate).rounded()))
        let size = size ?? .usual
        (film.width, film.height, film.cuts) = (size.width, size.height, cuts ?? 0)
        return film
    }

    private func drawMatch(_ seconds: Double) throws {
        var film = film(seconds)
        film.playerHeights = try heights()
        let progress = ProgressLine("drawing", total: film.frames)
        if isVideo {
            let (boxes, truth) = (beside("txt"), beside("json"))
            try check([out, boxes, truth])
            try film.write(out, boxes: boxes, truth: truth, threads: threads, progress: progress.advance)
            progress.finish()
            Console.print("\(film.frames) frames in \(out), the boxes in \(boxes), the numbers in \(truth)")
        } else {
            try film.write(
                toFolder: URL(fileURLWithPath: out), overwrite: overwrite, threads: threads,
                progress: progress.advance)
            progress.finish()
            Console.print(
                "\(film.frames) frames in \(out)/img1, the boxes in \(out)/gt, the numbers in \(out)/match.json"
            )
        }
    }

    private func beside(_ ending: String) -> String {
        URL(fileURLWithPath: out).deletingPathExtension().appendingPathExtension(ending).relativePath
    }

    private func check(_ outputs: [String]) throws {
        if !overwrite, let taken = outputs.first(where: FileNames.exists) {
            throw FileError(taken, "already exists", advice: "choose another name or pass --overwrite")
        }
    }
}

/// A size such as 1280x720, even numbers of pixels.
struct PictureSize: ExpressibleByArgument, CustomStringConvertible {
    static let usual = PictureSize(width: 1280, height: 720)

    let width, height: Int

    var description: String { "\(width)x\(height)" }

    init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard sides.count == 2, sides.allSatisfy({ 64...4096 ~= $0 && $0 % 2 == 0 }) else { return nil }
        self.init(width: sides[0], height: sides[1])
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
