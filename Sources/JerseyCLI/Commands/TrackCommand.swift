import ArgumentParser
import Foundation
import Jersey
import JerseyOutput
import Torch

struct TrackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "track",
        abstract: "Finds the people in a video and follows them, without reading numbers.",
        discussion: """
            It writes a box for each person and frame: MOT text (frame,track,left,top,width,height,score,-1,-1,-1), or JSON with the \
            teams as well. `jersey predict VIDEO` does the same first; change the boxes, or take another tracker's, and read them with \
            --boxes.

            Example: jersey track match.mp4 --output boxes.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case mot, json
    }

    @Argument(help: ArgumentHelp("A video.", valueName: "video"))
    var path: String

    @OptionGroup var tracking: TrackingOptions

    @Option(help: ArgumentHelp("Threads of libtorch (default: one per core).", valueName: "n"))
    var threads: Int?

    @Option(help: "mot or json (default: by the extension of --output, or mot).")
    var format: Format?

    @Option(help: ArgumentHelp("Write to this file instead of the terminal.", valueName: "file"))
    var output: String?

    func validate() throws { try Runtime.threadLimits.check(threads, "--threads") }

    func run() throws {
        if let threads { Runtime.threads = threads }
        try output.map { try AtomicFile.check($0, unlike: [path]) }
        let video = try tracking.follow(path)
        let isJSON = format.map { $0 == .json } ?? (output?.lowercased().hasSuffix(".json") ?? false)
        let text = isJSON ? JSON.text(try JSON.output(TrackedPeople(video))) : video.boxes.motText()
        guard let output else { return Console.printExactly(text) }
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: output))
        Console.error("\(video.boxes.tracks.count) tracks in \(video.times.count) frames: \(output)")
    }
}

/// The people of a video, as `jersey track` writes them.
private struct TrackedPeople: Encodable {
    struct Track: Encodable {
        let track: String
        let team, colour: String?
        let firstFrame, lastFrame: Int
        let firstSecond, lastSecond: Double
        /// Frame, left, top, width, height and score.
        let boxes: [[Double]]
    }

    let frames: Int
    /// The first frames of further shots.
    let cuts: [Int]
    let tracks: [Track]

    init(_ video: TrackedVideo) {
        frames = video.times.count
        let (boxes, first) = (video.boxes, video.boxes.firstFrame)
        cuts = video.cuts.map { $0 + first }
        let teams = Teams(video)
        var rows: [[[Double]]] = boxes.tracks.map { _ in [] }
        for box in boxes.boxes {
            rows[Int(box.track)].append(
                [Double(Int(box.frame) + first)]
                    + [box.left, box.top, box.width, box.height, box.confidence].map {
                        (Double($0) * 1000).rounded() / 1000
                    })
        }
        tracks = zip(boxes.tracks.indices, boxes.spans).compactMap { index, span in
            guard let span else { return nil }
            return Track(
                track: boxes.tracks[index], team: teams.sides[index]?.rawValue,
                colour: video.shirts[index]?.hex, firstFrame: span.lowerBound + first,
                lastFrame: span.upperBound + first, firstSecond: video.second(of: span.lowerBound),
                lastSecond: video.second(of: span.upperBound), boxes: rows[index])
        }
    }
}
