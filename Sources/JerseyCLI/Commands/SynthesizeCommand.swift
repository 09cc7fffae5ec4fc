import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct SynthesizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthesize",
        abstract: "Renders a small sample data set: numbers on moving shirts.",
        discussion: """
            Example: jersey synthesize --out sample --numbers 4,6,48,07 --tracks 5

            Example: jersey synthesize --out match.mp4 --numbers 4,6,48,07 --frames 250
            """)

    @Option(
        help: ArgumentHelp(
            "Folder for the data set; or a video (mp4, mov or mkv), with the players' boxes beside it.", valueName: "path"))
    var out: String

    @Option(help: ArgumentHelp("Numbers to draw.", valueName: "list"))
    var numbers = "4,6,8,9,48,49,64,66,88,89"

    @Option(help: ArgumentHelp("Players with each number.", valueName: "n"))
    var tracks = 10

    @Option(help: ArgumentHelp("Sequences of each player.", valueName: "n"))
    var sequences = 2

    @Option(help: ArgumentHelp("Frames of a sequence, such as 8 or 5-16; of a video.", valueName: "range"))
    var frames = "6-10"

    @Option(help: ArgumentHelp("The same seed draws the same pictures.", valueName: "n"))
    var seed: UInt64 = 1

    @Flag(help: "Write into a folder that is not empty; the numbers' folders in it are replaced.")
    var overwrite = false

    func validate() throws {
        guard (1...100_000).contains(tracks) else { throw ValidationError("--tracks must be 1...100000") }
        guard (1...1000).contains(sequences) else { throw ValidationError("--sequences must be 1...1000") }
        _ = try range()
    }

    private func range() throws -> ClosedRange<Int> {
        let ends = frames.split(separator: "-").compactMap { Int($0) }
        let most = isVideo ? 1_000_000 : 512
        guard let first = ends.first, let last = ends.last, ends.count <= 2, 1...most ~= first, first <= last, last <= most else {
            throw ValidationError("--frames is a number or a range of 1...\(most), such as 6-10, and not '\(frames)'")
        }
        return first...last
    }

    private var isVideo: Bool { VideoWriter.canMake(out) }

    func run() throws {
        let list = numbers.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        if isVideo { return try drawVideo(list) }
        let dataset = SampleDataset(
            numbers: list, tracksPerNumber: tracks, sequencesPerTrack: sequences, framesPerSequence: try range(), seed: seed)
        let progress = ProgressLine("drawing", total: list.count * tracks * sequences)
        try dataset.write(to: URL(fileURLWithPath: out), overwrite: overwrite) { _, _ in progress.advance() }
        progress.finish()
        print("\(list.count * tracks * sequences) sequences in \(out)")
    }

    private func drawVideo(_ numbers: [String]) throws {
        if let wrong = numbers.first(where: { JerseyNumber($0) == nil }) { throw SampleDatasetError.notANumber(wrong) }
        let boxes = URL(fileURLWithPath: out).deletingPathExtension().appendingPathExtension("txt").relativePath
        if !overwrite, let taken = [out, boxes].first(where: FileManager.default.fileExists) {
            throw FileError(taken, "is there already", advice: "choose another name, or overwrite it (--overwrite)")
        }
        let film = SampleVideo(numbers: numbers, frames: try range().upperBound, seed: seed)
        let progress = ProgressLine("drawing", total: film.frames)
        try film.write(out, boxes: boxes, progress: progress.advance)
        progress.finish()
        print("\(film.frames) frames with \(numbers.count) players in \(out), their boxes in \(boxes)")
    }
}
