import ArgumentParser
import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

/// A video and the boxes of a tracker, as input of `predict`.
struct VideoOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The path is a video; these are a tracker's boxes in it: MOT text (frame,track,left,top,width,height,…), or a table with a header.",
            valueName: "file"))
    var boxes: String?

    @Option(
        help: ArgumentHelp(
            "Names in the header, where they are not the usual ones: frame=f,track=id,left=x,top=y,width=w,height=h, or x1, y1, x2, y2.",
            valueName: "list"))
    var boxColumns: String?

    @Option(
        help: ArgumentHelp(
            "The tracker's number of the first frame (default: 1, or 0 where a box is in a frame 0).", valueName: "n"))
    var firstFrame: Int?

    @Option(
        help: ArgumentHelp(
            "Look at every n-th box or frame of a long track, but at no fewer than the model takes at once.", valueName: "n"))
    var stride = TrackWindows.usualStride

    @Flag(
        help: """
            Of a long track, glance at each window of frames and read it where a number shows, until the track's number is sure; for \
            models that `jersey calibrate` has seen.
            """)
    var skim = false

    @Option(help: ArgumentHelp("Also write the video with boxes and numbers drawn into it (mp4, mov or mkv).", valueName: "file"))
    var video: String?

    func validate() throws {
        guard firstFrame.map({ 0...1_000_000_000 ~= $0 }) ?? true else {
            throw ValidationError("--first-frame must be 0 or more")
        }
        try (1...10_000).check(stride, "--stride")
        if boxes == nil {
            for (name, isGiven) in [
                ("--box-columns", boxColumns != nil), ("--first-frame", firstFrame != nil), ("--video", video != nil),
            ] where isGiven {
                throw ValidationError("\(name) needs a video as the path, and its tracker's boxes in --boxes")
            }
        }
    }

    func trackBoxes(_ path: String, strict: Bool) throws -> TrackBoxes {
        try TrackBoxes(
            contentsOf: path, columns: try boxColumns.map(BoxColumns.init) ?? BoxColumns(), firstFrame: firstFrame, strict: strict
        )
    }

    /// One prediction for each track, in order of their names, and crops of the first `shown` tracks.
    func read(
        _ path: String, _ boxes: TrackBoxes, with recognizer: Recognizer, shown: Int
    ) throws -> (predictions: [Prediction], crops: [String: RGBImage]) {
        let video = try VideoReader(path)
        var tracks = recognizer.trackReader()
        tracks.shownTracks = shown
        var predictions: [String: Prediction] = [:]
        var crops: [String: RGBImage] = [:]
        let progress = ProgressLine("reading", total: Self.frames(of: video, upTo: boxes))
        let leftOut = try tracks.read(video, boxes, progress: progress.advance) { result in
            predictions[result.prediction.track] = result.prediction
            crops.merge(result.crops) { first, _ in first }
        }
        progress.finish()
        if let damage = video.damage {
            Console.error(
                "\(path): passed over \(damage.count) damaged \(damage.count == 1 ? "piece" : "pieces") (\(damage.first))")
        }
        let outside = leftOut.counts[.outside] ?? 0
        if 3 * outside > boxes.boxes.count {
            let reach = boxes.boxes.reduce((0, 0)) { (max($0.0, $1.left + $1.width), max($0.1, $1.top + $1.height)) }
            Console.error(
                "warning: \(outside) of \(boxes.boxes.count) boxes lie outside of the picture, which is \(video.width)x\(video.height), and they "
                    + "reach \(Format.digits(Double(reach.0), 6))x\(Format.digits(Double(reach.1), 6)): "
                    + "are they of another video or size, or right and bottom taken for width and height?"
            )
        }
        for sentence in boxes.leftOut.sentences + leftOut.sentences { Console.error("left out: \(sentence)") }
        if leftOut.counts[.late] != nil {
            Console.error(
                "the video has \(video.count) frames, the boxes go up to frame \(Int(boxes.boxes.last!.frame) + boxes.firstFrame)"
            )
        }
        let ordered = boxes.tracks.compactMap { predictions[$0] }
        // What the model's output is the reason for; boxes and frames are counted above.
        let broken = ordered.filter { $0.unreadable && $0.confidence == nil }.compactMap(\.leftOut.last)
        Console.list(broken, rest: "tracks") { "\($0.path) \($0.reason)" }
        return (ordered, crops)
    }

    /// Writes the annotated video, where one is asked for.
    func annotate(_ path: String, _ boxes: TrackBoxes, _ predictions: [Prediction]) throws {
        guard let target = video else { return }
        let video = try VideoReader(path)
        let progress = ProgressLine("drawing", total: video.expectedFrames ?? Int(boxes.boxes.last!.frame) + 1)
        // What is half written has to be removed again.
        let signals = StopSignals()
        try AnnotatedVideo.write(predictions, boxes, in: video, to: target) {
            progress.advance()
            if signals.isStopped { throw ExitCode(130) }
        }
        progress.finish()
    }

    /// Frames that are decoded: none behind the last box.
    private static func frames(of video: VideoReader, upTo boxes: TrackBoxes) -> Int {
        min(video.expectedFrames ?? .max, Int(boxes.boxes.last!.frame) + 1)
    }
}
