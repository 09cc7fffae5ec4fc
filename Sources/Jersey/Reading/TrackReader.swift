import Foundation

/// Reads the numbers of the players whom a tracker followed through a video.
///
/// The video is decoded once, and only the boxes that the model looks at are cut out: those of
/// `selection`. With `Recognizer.Options.skims` nothing
/// more is cut out once a track is decided. These crops are read in windows of as many frames as
/// the model takes, and the evidence of the windows is combined. Memory holds the boxes, the
/// results, and the crops of windows that have begun and are not read yet.
public struct TrackReader {
    /// What was read of one track.
    public struct Result: Sendable {
        /// What was read. Its `sequence` and `track` are the tracker's name of the player, or that
        /// of a piece of the track, such as "4/a" (`Prediction.pieceOf`).
        public let prediction: Prediction
        /// The crops that weighed most, by their names in the prediction. Empty except for the
        /// first `shownTracks` tracks.
        public let crops: [String: RGBImage]
    }

    private let reader: SequenceReader
    /// Which boxes of a track are read.
    package var selection = BoxSelection.bestMoments
    /// Whether a track has one result even if its player changes. Otherwise it has a result for each
    /// player, if that is certain.
    package var keepsTracks = false
    /// How many tracks, in order of their names, keep crops to show.
    public var shownTracks = 0

    package init(_ reader: SequenceReader) {
        self.reader = reader
    }

    /// Reads all tracks, and hands over each as soon as its last window is read. A track in which
    /// the player changes is handed over piece by piece, unless `keepsTracks` is set.
    ///
    /// - Parameters:
    ///   - video: a video at its start.
    ///   - boxes: what a tracker found in it.
    ///   - progress: called after each frame.
    ///   - body: called with the result of each track or piece; what it throws ends the reading.
    /// - Returns: the boxes that could not be used, besides `TrackBoxes.leftOut`.
    /// - Throws: `FileError` where the video cannot be decoded and, if
    ///   `Recognizer.Options.isStrict` is set, for a box in a damaged frame.
    public func read(
        _ video: VideoReader, _ boxes: TrackBoxes, progress: () -> Void = {}, _ body: (Result) throws -> Void
    ) throws -> LeftOutBoxes {
        let plan = TrackPlan(
            boxes, width: video.width, height: video.height, selection: selection,
            windowSize: reader.loader.maximumFrames)
        var leftOut = plan.leftOut
        var windows = OpenWindows(video.path, boxes, plan)
        var sequenceReader = reader
        sequenceReader.readsParts = !keepsTracks
        var windowReader = WindowReader(sequenceReader)
        var tracks = OpenTracks(
            boxes, plan, keepsTracks: keepsTracks, shownTracks: shownTracks,
            shownFrames: reader.loader.maximumFrames)
        for result in tracks.unseen(video.path) { try body(result) }

        var next = 0
        while next < plan.looks.count, let frame = try video.next() {
            while next < plan.looks.count, plan.looks[next].frame == frame.index {
                let look = plan.looks[next]
                next += 1
                if frame.isDamaged {
                    leftOut.add(.undecodable, line: look.line)
                    if reader.loader.strict {
                        throw FileError(video.path, "frame \(frame.index + boxes.firstFrame) is damaged")
                    }
                }
                let isDecided = windowReader.isDecided(plan.windows[look.window].track)
                windows.add(
                    look,
                    frame.isDamaged
                        ? .failure(.undecodable)
                        : isDecided ? .failure(.needless) : .success(try video.crop(look.area)))
            }
            if windows.full.count >= reader.batchSize {
                try read(windows.takeFull(), &windowReader, &tracks, body)
            }
            progress()
        }
        if next < plan.looks.count {
            for box in boxes.boxes.reversed() {
                guard Int(box.frame) >= video.count else { break }
                // Other boxes are already counted as outside the picture.
                if box.legibleArea(width: video.width, height: video.height) != nil {
                    leftOut.add(.late, line: box.line)
                }
            }
            for look in plan.looks[next...] { windows.add(look, .failure(.late)) }
        }
        try read(windows.takeFull(), &windowReader, &tracks, body)
        return leftOut
    }

    private func read(
        _ windows: [OpenWindows.Window], _ reader: inout WindowReader, _ tracks: inout OpenTracks,
        _ body: (Result) throws -> Void
    ) throws {
        let seen = windows.indices.filter { !windows[$0].images.isEmpty }
        var readings: [Int: Swift.Result<Reading, UnreadableSequence>] = [:]
        try reader.read(seen.map { windows[$0].readable }) { readings[seen[$0]] = $1 }
        for (index, window) in windows.enumerated() {
            for result in tracks.add(window, readings[index]) { try body(result) }
        }
    }
}

/// Windows that have begun and are not full.
private struct OpenWindows {
    struct Window {
        let track: Int
        let place: Int
        let isOfLong: Bool
        let trackName: String
        var names: [String] = []
        var images: [RGBImage] = []
        var problems: [FrameProblem] = []
        var left: Int

        var readable: WindowReader.Window {
            let sequence = FrameSequence(
                id: trackName, track: trackName, number: nil, frames: names, images: images, anchor: nil)
            return WindowReader.Window(track: track, place: place, isOfLong: isOfLong, sequence: sequence)
        }
    }

    private(set) var full: [Window] = []
    private var open: [Int: Window] = [:]
    private let path: String
    private let boxes: TrackBoxes
    private let plan: TrackPlan

    init(_ path: String, _ boxes: TrackBoxes, _ plan: TrackPlan) {
        self.path = path
        self.boxes = boxes
        self.plan = plan
    }

    mutating func add(_ look: TrackPlan.Look, _ crop: Result<RGBImage, LookError>) {
        let (track, place, count) = plan.windows[look.window]
        // Removed while it changes, so that its arrays are not copied.
        var window =
            open.removeValue(forKey: look.window)
            ?? Window(
                track: track, place: place, isOfLong: plan.windowsOfTrack[track] >= WindowReader.longTrack,
                trackName: boxes.tracks[track], left: count)
        let name = "\(path)#frame=\(look.frame + boxes.firstFrame),track=\(window.trackName)"
        switch crop {
        case .success(let image):
            window.names.append(name)
            window.images.append(image)
        case .failure(.needless): break
        case .failure(let error): window.problems.append(FrameProblem(path: name, reason: error.rawValue))
        }
        window.left -= 1
        if window.left == 0 { full.append(window) } else { open[look.window] = window }
    }

    mutating func takeFull() -> [Window] {
        defer { full = [] }
        return full
    }
}

private enum LookError: String, Error {
    case undecodable = "is in a damaged frame"
    case late = "is past the end of the video"
    case needless = "is of a decided track"
}

/// Tracks with unread windows. Each keeps the crops that contributed most: by their weight, times
/// the information of their window.
private struct OpenTracks {
    private struct Track {
        var predictions: [Prediction] = []
        var crops: [(weight: Double, name: String, image: RGBImage)] = []
        var windowsLeft: Int
    }

    private var open: [Int: Track] = [:]
    private let boxes: TrackBoxes
    private let plan: TrackPlan
    private let keepsTracks: Bool
    private let shownTracks: Int
    private let shownFrames: Int

    init(_ boxes: TrackBoxes, _ plan: TrackPlan, keepsTracks: Bool, shownTracks: Int, shownFrames: Int) {
        self.boxes = boxes
        self.plan = plan
        self.keepsTracks = keepsTracks
        self.shownTracks = shownTracks
        self.shownFrames = shownFrames
    }

    /// The tracks without a box to look at.
    func unseen(_ path: String) -> [TrackReader.Result] {
        plan.windowsOfTrack.indices.filter { plan.windowsOfTrack[$0] == 0 }.map { track in
            let name = boxes.tracks[track]
            let problem = FrameProblem(
                path: "\(path)#track=\(name)", reason: "has no box with at least half inside the picture")
            var prediction = Prediction(Self.unreadable(name, [problem]))
            prediction.span = span(of: track)
            return TrackReader.Result(prediction: prediction, crops: [:])
        }
    }

    /// The first and the last frame of a track, as the tracker counts.
    private func span(of track: Int) -> ClosedRange<Int> {
        let frames = plan.boxesOfTrack[track].map { Int(boxes.boxes[Int($0)].frame) + boxes.firstFrame }
        return (frames.first ?? 0)...(frames.last ?? 0)
    }

    /// Adds a window and its reading, if any. Returns the track's results after its last window.
    mutating func add(_ window: OpenWindows.Window, _ reading: Result<Reading, UnreadableSequence>?)
        -> [TrackReader.Result]
    {
        var track =
            open.removeValue(forKey: window.track) ?? Track(windowsLeft: plan.windowsOfTrack[window.track])
        track.windowsLeft -= 1
        switch reading {
        case .success(let reading):
            track.predictions.append(Prediction(reading))
            if window.track < shownTracks { keep(reading, &track) }
        case .failure(let unreadable): track.predictions.append(Prediction(unreadable))
        case nil: break
        }
        if reading == nil || !window.problems.isEmpty {
            track.predictions.append(Prediction(Self.unreadable(window.trackName, window.problems)))
        }
        guard track.windowsLeft == 0 else {
            open[window.track] = track
            return []
        }
        let crops = Dictionary(uniqueKeysWithValues: track.crops.map { ($0.name, $0.image) })
        let pieces = Prediction.pieces(
            of: track.predictions, within: span(of: window.track), keepingTrack: keepsTracks)
        return pieces.map { piece in
            var piece = piece
            piece.kind = boxes.kind(of: plan.boxesOfTrack[window.track], in: piece.span)
            let names = Set(piece.frames.map(\.path))
            return TrackReader.Result(prediction: piece, crops: crops.filter { names.contains($0.key) })
        }
    }

    private func keep(_ reading: Reading, _ track: inout Track) {
        let information = reading.digits.information
        for (place, index) in reading.used.enumerated() {
            guard let image = try? reading.sequence.images?[index].get() else { continue }
            let weight = (reading.attention?[place] ?? 1 / Double(reading.used.count)) * information
            track.crops.append((weight, reading.sequence.frames[index], image))
        }
        track.crops.sort { $0.weight > $1.weight }
        track.crops = Array(track.crops.prefix(shownFrames))
    }

    private static func unreadable(_ track: String, _ problems: [FrameProblem]) -> UnreadableSequence {
        UnreadableSequence(
            sequence: FrameSequence(id: track, track: track, number: nil, frames: [], anchor: nil),
            problems: problems)
    }
}
