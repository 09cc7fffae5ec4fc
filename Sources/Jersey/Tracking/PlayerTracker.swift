import Foundation
import Torch

/// Finds the people in a video, and follows them.
///
/// The detector looks at some of the frames. Between them boxes move evenly, and the motion of the
/// camera is taken out before boxes are compared. A cut between shots ends all tracks.
package struct PlayerTracker: Sendable {
    package struct Options: Sendable {
        /// Detects in every n-th frame; nil chooses n so that there are some six looks a second.
        package var detectEvery: Int?
        /// Who is followed.
        package var who = PlayingArea.Rule.players
        /// Pictures that are decoded before they are looked at together, so that all cores are busy;
        /// at least 1. They are in memory together.
        package var lookedAtTogether = 4

        package init() {}
    }

    /// Everybody in a picture. It may run on several threads at once.
    private let detect: @Sendable (RGBImage) -> [Detection]
    private let options: Options

    /// The looks in a second by default. Players then move about their own width between looks.
    private static let usualLooks = 6.0
    /// The fewest looks at which somebody was found for a track to be reported.
    static let fewestLooks = 3

    package init(_ detector: PlayerDetector, _ options: Options = Options()) {
        self.init(options, detect: detector.detections)
    }

    init(_ options: Options, detect: @escaping @Sendable (RGBImage) -> [Detection]) {
        self.detect = detect
        self.options = options
    }

    /// Every how many frames the detector looks at a video.
    package func interval(rate: Double) -> Int {
        max(1, options.detectEvery ?? Int((rate / Self.usualLooks).rounded()))
    }

    /// Follows the people from the start of a video to its end.
    ///
    /// - Parameters:
    ///   - video: at its start.
    ///   - progress: called after each frame; what it throws ends the work.
    /// - Throws: `FileError` where the video cannot be decoded.
    package func track(_ video: VideoReader, progress: () throws -> Void = {}) throws -> TrackedVideo {
        let interval = interval(rate: video.rate)
        var tracker = MultiObjectTracker(MultiObjectTracker.Options(), rate: video.rate)
        var camera = CameraMotionEstimator(width: video.width)
        var result = TrackedVideo.Builder()
        var pending: [(frame: Int, picture: RGBImage)] = []
        var last = 0
        func look() throws {
            let pictures = pending.map(\.picture)
            let found = Runtime.concurrentMap(pictures.count) { people(in: pictures[$0]) }
            for ((frame, picture), people) in zip(pending, found) {
                let change = camera.change(to: people.grey, people: people.boxes)
                if change.isCut {
                    tracker.endAll()
                    result.cuts.append(frame)
                }
                tracker.look(
                    at: people.boxes, shirts: people.boxes.map { ShirtColour(of: $0, in: picture) },
                    frame: frame, elapsed: frame - last, camera: change.motion)
                last = frame
            }
            pending = []
        }
        while let frame = try video.next() {
            result.times.append(frame.time)
            if frame.index.isMultiple(of: interval) {
                pending.append((frame.index, try video.image()))
                if pending.count >= options.lookedAtTogether { try look() }
            }
            try progress()
        }
        try look()
        tracker.endAll()
        return result.video(
            tracker.ended.filter { $0.looks >= Self.fewestLooks || $0.looks * interval >= last },
            longestGap: interval)
    }

    /// What a look at a picture shows.
    struct People {
        let boxes: [Detection]
        let grey: GreyPicture
    }

    /// Who is to be followed in a picture.
    func people(in picture: RGBImage) -> People {
        People(
            boxes: options.who.kept(detect(picture), in: picture),
            grey: GreyPicture(picture, width: CameraMotionEstimator.width))
    }
}
