import ArgumentParser
import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

/// A video and a tracker's boxes, as input of `predict`.
struct VideoOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A tracker's boxes in the video: MOT text (frame,track,left,top,width,height,…), a table with a header, JSON, or CVAT's XML; \
            - is standard input.
            """,
            valueName: "file"))
    var boxes: String?

    @Option(
        help: ArgumentHelp(
            """
            Column names, if they are not the usual ones: frame=f,track=id,left=x,top=y,width=w,height=h, or x1, y1, x2, y2, or x_center, \
            y_center, width, height; ltwh, xyxy or cxcywh for four numbers in one column. In a table without names, numbers of columns from 1.
            """,
            valueName: "list"))
    var boxColumns: String?

    @Option(
        help: ArgumentHelp(
            "The tracker's number for the first frame (default: 1, or 0 if any box has frame 0).",
            valueName: "n"))
    var firstFrame: Int?

    @Option(
        help: ArgumentHelp(
            "Frames of the video for each frame that the tracker counts (default: 1), where it looked at every n-th only.",
            valueName: "n"))
    var boxStride: Int?

    @Option(
        help: ArgumentHelp(
            """
            Read every n-th frame or box of a long track, but at least as many as the model takes at once (default: 5; with --boxes, \
            the best view of each slot of time).
            """,
            valueName: "n"))
    var stride: Int?

    @Flag(
        help: """
            With --boxes or --tracks: keep a track whole even if its player changes. By default it has an answer for each player, where \
            both are certain.
            """)
    var keepTracks = false

    @Flag(
        help: """
            Preview each window of a long track, read only windows that show a number, and stop once the track's number is certain \
            enough. Needs a calibrated model.
            """)
    var skim = false

    @Option(
        help: ArgumentHelp(
            "Also write the video with boxes and numbers drawn in (mp4, mov or mkv).", valueName: "file"))
    var video: String?

    func validate() throws {
        guard firstFrame.map({ 0...1_000_000_000 ~= $0 }) ?? true else {
            throw ValidationError("--first-frame must be 0 or more")
        }
        try stride.map { try (1...10_000).check($0, "--stride") }
        try boxStride.map { try (1...10_000).check($0, "--box-stride") }
    }

    /// - Throws: `ValidationError` for options about boxes without any.
    func checkBoxes() throws {
        if boxes == nil {
            for (name, isGiven) in [
                ("--box-columns", boxColumns != nil), ("--first-frame", firstFrame != nil),
                ("--box-stride", boxStride != nil),
            ] where isGiven {
                throw ValidationError("\(name) needs a video, and its tracker's boxes in --boxes")
            }
        }
    }

    func trackBoxes(_ path: String, in video: String, strict: Bool) throws -> TrackBoxes {
        let boxes = try TrackBoxes(
            contentsOf: path, columns: try boxColumns.map(BoxColumns.init) ?? BoxColumns(),
            firstFrame: firstFrame, strict: strict, stride: boxStride ?? 1
        ) {
            let video = try VideoReader(video)
            return VideoFacts(
                width: video.width, height: video.height, frames: video.expectedFrames,
                fileNumbers: video.fileNumbers)
        }
        for remark in boxes.remarks { Console.error("note: \(remark) (--first-frame)") }
        return boxes
    }

    /// A remark if boxes end long before the video, as those of a tracker that looked at every n-th
    /// frame and counted only these.
    private func remarkEarlyEnd(_ boxes: TrackBoxes, _ video: VideoReader) {
        // Where parts are missing, the file's length says little.
        guard video.damage == nil, let frames = video.expectedFrames, let last = boxes.boxes.last?.frame
        else { return }
        let ratio = Double(frames) / Double(last + 1)
        guard ratio >= 1.5, frames >= 10 else { return }
        let step = Int(ratio.rounded())
        let isMultiple = 2...10 ~= step && abs(ratio / Double(step) - 1) < 0.1 && boxStride == nil
        let hint =
            isMultiple
            ? "; if the tracker looked at every \(step == 2 ? "second" : step == 3 ? "third" : "\(step)th") frame and counted "
                + "only these, use --box-stride \(step)" : ""
        Console.error(
            "note: boxes end at frame \(Int(last) + boxes.firstFrame), but the video has about \(frames) frames\(hint)"
        )
    }

    /// The predictions of all tracks, ordered by track name, and crops of the first `shown` tracks.
    ///
    /// - Parameter isOurs: whether the boxes are those of our own tracker.
    func read(
        _ path: String, _ boxes: TrackBoxes, with recognizer: Recognizer, isOurs: Bool, shown: Int
    ) throws -> (predictions: [Prediction], crops: [String: RGBImage]) {
        let video = try VideoReader(path)
        var tracks = recognizer.trackReader()
        tracks.shownTracks = shown
        var predictions: [String: [Prediction]] = [:]
        var crops: [String: RGBImage] = [:]
        let progress = ProgressLine("reading", total: Self.frames(of: video, upTo: boxes))
        let leftOut = try tracks.read(video, boxes, progress: progress.advance) { result in
            let track = result.prediction.pieceOf ?? result.prediction.track
            predictions[track, default: []].append(result.prediction)
            crops.merge(result.crops) { first, _ in first }
        }
        progress.finish()
        // Who is followed by ourselves has been reported already, and has boxes without lines.
        if !isOurs { remark(on: boxes, leftOut, in: video) }
        let ordered = boxes.tracks.flatMap { predictions[$0] ?? [] }
        // Tracks whose model output is invalid. Skipped boxes and frames are counted above.
        let broken = ordered.filter { $0.unreadable && $0.confidence == nil }.compactMap(\.leftOut.last)
        Console.list(broken, rest: "tracks") { "\($0.path) \($0.reason)" }
        return (ordered, crops)
    }

    /// Says what is wrong with a video and the boxes of a file.
    private func remark(on boxes: TrackBoxes, _ leftOut: LeftOutBoxes, in video: VideoReader) {
        remarkEarlyEnd(boxes, video)
        Console.reportDamage(of: video)
        let outside = leftOut.counts[.outside] ?? 0
        if 3 * outside > boxes.boxes.count {
            let reach = boxes.boxes.reduce((0, 0)) {
                (max($0.0, $1.left + $1.width), max($0.1, $1.top + $1.height))
            }
            Console.error(
                "warning: \(outside) of \(boxes.boxes.count) boxes lie outside the \(video.width)x\(video.height) picture; they "
                    + "reach \(Format.digits(Double(reach.0), 6))x\(Format.digits(Double(reach.1), 6)). "
                    + "Do they belong to another video or size, or are width and height really right and bottom?"
            )
        }
        for sentence in boxes.leftOut.sentences + leftOut.sentences { Console.error("skipped: \(sentence)") }
        if leftOut.counts[.late] != nil {
            Console.error(
                "the video has \(video.count) frames, but boxes go up to frame \(Int(boxes.boxes.last!.frame) + boxes.firstFrame)"
            )
        }
    }

    /// Writes the annotated video, if the user asked for one.
    func annotate(
        _ path: String, _ boxes: TrackBoxes, _ predictions: [Prediction], _ players: PlayerTable? = nil
    ) throws {
        guard let target = video else { return }
        let video = try VideoReader(path)
        let progress = ProgressLine(
            "drawing", total: video.expectedFrames ?? Int(boxes.boxes.last!.frame) + 1)
        // Handle signals, so that a partial file is removed.
        let signals = StopSignals()
        try AnnotatedVideo.write(predictions, boxes, players: players, in: video, to: target) {
            progress.advance()
            if signals.isStopped { throw ExitCode(130) }
        }
        progress.finish()
    }

    /// Frames to decode: none after the last box.
    private static func frames(of video: VideoReader, upTo boxes: TrackBoxes) -> Int {
        min(video.expectedFrames ?? .max, Int(boxes.boxes.last!.frame) + 1)
    }
}

extension Console {
    /// Says how many pieces of a decoded video were skipped, if any.
    static func reportDamage(of video: VideoReader) {
        guard let damage = video.damage else { return }
        error(
            "\(video.path): skipped \(damage.count) damaged \(damage.count == 1 ? "piece" : "pieces") (\(damage.first))"
        )
    }
}
