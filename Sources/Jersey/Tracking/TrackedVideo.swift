/// The people whom a tracker followed through a video.
package struct TrackedVideo: Sendable {
    /// One box a frame of each track, those between looks too. Tracks are named "1", "2" and so on,
    /// in the order in which they begin.
    package let boxes: TrackBoxes
    /// The colours of each track's shirt, with the frames, from 0, in which it was seen whole.
    let looks: [[(frame: Int, colour: ShirtColour)]]
    /// The colour of each track's shirt; nil where it was never seen whole.
    package let shirts: [ShirtColour?]
    /// The first frames of further shots.
    package let cuts: [Int]
    /// The moment of each frame, in seconds from the start.
    package let times: [Double]

    init(
        boxes: TrackBoxes, looks: [[(frame: Int, colour: ShirtColour)]], cuts: [Int], times: [Double]
    ) {
        self.boxes = boxes
        self.looks = looks
        self.cuts = cuts
        self.times = times
        shirts = looks.map { $0.isEmpty ? nil : ShirtColour.middle(of: $0.map(\.colour)) }
    }

    /// The colour of a track's shirt in a part of the video; that of the whole track if it was not
    /// seen there.
    ///
    /// - Parameter frames: from 0.
    func shirt(ofTrack track: Int, in frames: ClosedRange<Int>) -> ShirtColour? {
        let here = looks[track].filter { frames.contains($0.frame) }
        return here.isEmpty ? shirts[track] : .middle(of: here.map(\.colour))
    }

    /// Collects what a tracker finds.
    struct Builder {
        var cuts: [Int] = []
        var times: [Double] = []

        /// - Parameters:
        ///   - tracks: in any order.
        ///   - longestGap: the most frames between two looks at a track that are filled with boxes.
        func video(_ tracks: [MultiObjectTracker.Track], longestGap: Int) -> TrackedVideo {
            let inOrder = tracks.sorted { ($0.seen[0].frame, $0.id) < ($1.seen[0].frame, $1.id) }
            let boxes = inOrder.enumerated().flatMap { index, track in
                Self.filled(track.seen, longestGap: longestGap).map { frame, box in
                    TrackBoxes.Box(
                        frame: Int32(clamping: frame), track: Int32(clamping: index), left: Float(box.left),
                        top: Float(box.top), width: Float(box.width), height: Float(box.height),
                        confidence: max(Float(box.score), TrackBoxes.Box.guessed), line: 0)
                }
            }
            return TrackedVideo(
                boxes: TrackBoxes(
                    tracks: inOrder.indices.map { "\($0 + 1)" }, boxes: boxes, firstFrame: 1),
                looks: inOrder.map(\.shirts), cuts: cuts, times: times)
        }

        /// The boxes of a track with those between looks, where it moves evenly.
        private static func filled(_ seen: [(frame: Int, box: Detection)], longestGap: Int)
            -> [(frame: Int, box: Detection)]
        {
            var boxes: [(frame: Int, box: Detection)] = []
            for look in seen {
                if let last = boxes.last, look.frame - last.frame <= longestGap {
                    let (length, start) = (Double(look.frame - last.frame), last)
                    for frame in (start.frame + 1)..<max(look.frame, start.frame + 1) {
                        let share = Double(frame - start.frame) / length
                        boxes.append((frame, start.box.between(look.box, share: share)))
                    }
                }
                boxes.append(look)
            }
            return boxes
        }
    }
}

extension TrackBoxes {
    /// Boxes of our own tracker.
    ///
    /// - Parameters:
    ///   - boxes: in any order, frames counted from 0, at most one of each track in a frame.
    ///   - firstFrame: what frame 0 is called.
    init(tracks: [String], boxes: [Box], firstFrame: Int) {
        self.tracks = tracks
        kinds = []
        self.boxes = boxes.sorted { ($0.frame, $0.track) < ($1.frame, $1.track) }
        self.firstFrame = firstFrame
        leftOut = LeftOutBoxes()
        remarks = []
    }

    /// The first and the last frame of each track, from 0; nil for a track without boxes.
    package var spans: [ClosedRange<Int>?] {
        var spans: [ClosedRange<Int>?] = tracks.map { _ in nil }
        for box in boxes {
            let (track, frame) = (Int(box.track), Int(box.frame))
            spans[track] =
                spans[track].map { min($0.lowerBound, frame)...max($0.upperBound, frame) } ?? frame...frame
        }
        return spans
    }
}

extension Detection {
    /// A box on the way to another.
    ///
    /// - Parameter share: of the way, 0...1.
    func between(_ other: Detection, share: Double) -> Detection {
        func mixed(_ a: Double, _ b: Double) -> Double { a + share * (b - a) }
        return Detection(
            left: mixed(left, other.left), top: mixed(top, other.top), width: mixed(width, other.width),
            height: mixed(height, other.height), score: mixed(score, other.score))
    }
}
