import Torch

/// Reads the numbers of players while a video comes. What it says of a track is kept only while the
/// track goes on, so memory does not grow.
package struct LivePlayers {
    private let tracker: PlayerTracker
    private let recognizer: Recognizer
    private let roster: Roster?
    private var teams: LiveTeams
    private var tracks: MultiObjectTracker
    private var camera: CameraMotionEstimator
    private var (rate, interval): (Double, Double)
    private var (width, height): (Int, Int)
    private var open: [Int: LiveTrack] = [:]
    private var last: Int?
    private var count = 0
    /// When to look again.
    private var next = -Double.infinity

    /// Frames after which a number may be told before a window of the model is full.
    private static let firstLooks = [4, 8]

    /// - Parameters:
    ///   - video: of the size and rate of what comes.
    ///   - names: of the teams by the colours of their shirts.
    package init(
        _ tracker: PlayerTracker, _ recognizer: Recognizer, roster: Roster?,
        names: [(colour: ShirtColour, name: String)], like video: VideoReader
    ) {
        (self.tracker, self.recognizer, self.roster) = (tracker, recognizer, roster)
        teams = LiveTeams(names)
        (tracks, camera) = Self.start(video)
        rate = video.rate
        interval = Double(tracker.interval(rate: video.rate)) / video.rate
        (width, height) = (video.width, video.height)
    }

    private static func start(_ video: VideoReader) -> (MultiObjectTracker, CameraMotionEstimator) {
        var options = MultiObjectTracker.Options()
        options.mostKept = 256
        return (MultiObjectTracker(options, rate: video.rate), CameraMotionEstimator(width: video.width))
    }

    /// Ends all tracks, and goes on with a video that was opened again, perhaps of another size.
    ///
    /// - Returns: what is new.
    package mutating func restart(like video: VideoReader) throws -> [LiveEvent] {
        let events = try end()
        (tracks, camera) = Self.start(video)
        rate = video.rate
        interval = Double(tracker.interval(rate: video.rate)) / video.rate
        (width, height, last) = (video.width, video.height, nil)
        return events
    }

    /// Whether people should be looked for in a frame.
    package func wants(_ moment: Double) -> Bool { moment >= next }

    /// Leaves out a look.
    package mutating func pass(_ moment: Double) { next = moment + 0.95 * interval }

    /// Looks at a picture.
    ///
    /// - Parameters:
    ///   - moment: in seconds from the start, later than the one before.
    /// - Returns: what is new.
    package mutating func look(at picture: RGBImage, moment: Double) throws -> [LiveEvent] {
        pass(moment)
        // By the clock, because frames may be missing.
        let frame = Int(min(moment * rate, 1e15).rounded())
        let people = tracker.people(in: picture)
        let change = camera.change(to: people.grey, people: people.boxes)
        if change.isCut { tracks.endAll() }
        tracks.look(
            at: people.boxes, shirts: people.boxes.map { ShirtColour(of: $0, in: picture) }, frame: frame,
            elapsed: frame - (last ?? frame), camera: change.motion)
        last = frame
        var events = try endTracks()
        let seen = tracks.open.filter { $0.hidden == 0 && $0.seen.last?.frame == frame }
        let boxes = seen.map { TrackBoxes.Box($0.seen[$0.seen.count - 1].box, frame: frame) }
        var due: [Int] = []
        for ((track, box), hidden) in zip(zip(seen, boxes), BoxView.hiddenShares(of: boxes)) {
            var known = open.removeValue(forKey: track.id) ?? LiveTrack(first: moment)
            known.see(track, at: moment)
            if let area = box.legibleArea(width: width, height: height) {
                let quality = Float(area.height) * (1 - hidden)
                known.add(quality: quality) {
                    picture.cropped(
                        x: area.left..<area.left + area.width, y: area.top..<area.top + area.height)
                }
            }
            open[track.id] = known
            let isFull = known.pictures.count >= recognizer.reader.loader.maximumFrames
            // A number that is known already is only checked.
            let isEarly = known.told == nil && Self.firstLooks.contains(known.pictures.count)
            if known.hasNew && track.isConfirmed && (isFull || isEarly) { due.append(track.id) }
        }
        try read(due)
        for id in due {
            guard var track = open[id] else { continue }
            if track.number != (track.told ?? nil), track.told != nil || track.number != nil {
                events.append(event(track.told == nil ? .number : .change, &track))
                track.told = .some(track.number)
            }
            open[id] = track
        }
        return events
    }

    /// Ends all tracks, as after the last picture.
    package mutating func end() throws -> [LiveEvent] {
        tracks.endAll()
        return try endTracks()
    }

    private mutating func endTracks() throws -> [LiveEvent] {
        let ended = tracks.takeEnded()
        let told = ended.filter { $0.looks >= PlayerTracker.fewestLooks && open[$0.id] != nil }.map(\.id)
        try read(told.filter { open[$0]?.hasNew ?? false })
        let events = told.compactMap { id -> LiveEvent? in
            guard var track = open[id] else { return nil }
            defer { teams.add(track) }
            return event(.end, &track)
        }
        // Those that were never confirmed are not among the ended ones.
        let going = Set(tracks.open.map(\.id))
        open = open.filter { going.contains($0.key) }
        return events
    }

    /// Reads the pictures of some tracks together.
    private mutating func read(_ ids: [Int]) throws {
        let sequences = ids.map { id in
            let pictures = open[id]?.pictures ?? []
            return FrameSequence(
                id: "\(id)", track: "\(id)", number: nil, frames: pictures.indices.map { "\($0)" },
                images: pictures, anchor: nil)
        }
        var results: [Prediction] = []
        try recognizer.reader.read(sequences) { result in
            switch result {
            case .success(let reading): results.append(Prediction(reading))
            case .failure(let unreadable): results.append(Prediction(unreadable))
            }
        }
        for (id, prediction) in zip(ids, results) {
            open[id]?.take(prediction, roster, windowSize: recognizer.reader.loader.maximumFrames)
        }
    }

    private mutating func event(_ kind: LiveEvent.Kind, _ track: inout LiveTrack) -> LiveEvent {
        if track.name == nil {
            count += 1
            track.name = "\(count)"
        }
        let team = teams.name(of: track.shirt, among: open.values)
        return LiveEvent(
            event: kind, track: track.name ?? "", team: team, colour: track.shirt?.hex,
            number: track.number, names: track.names(of: team),
            confidence: track.number == nil ? nil : track.answer?.confidence,
            firstSecond: track.first, lastSecond: track.last)
    }
}

/// What is new about a track of a live video.
package struct LiveEvent: Encodable, Sendable, Equatable {
    package enum Kind: String, Encodable, Sendable, CaseIterable {
        /// Its number was read.
        case number
        /// Another number was read, or the one before is not sure any more.
        case change
        /// It has ended.
        case end
    }

    package let event: Kind
    /// Tracks are named "1", "2" and so on, as they are told first.
    package let track: String
    package let team, colour: String?
    /// Nil where none was read.
    package let number: JerseyNumber?
    package let names: [String]
    package let confidence: Double?
    /// When it was seen first and last so far, in seconds from the start of the video.
    package let firstSecond, lastSecond: Double

    private enum CodingKeys: String, CodingKey {
        case event, track, team, colour, number, names, confidence
        case firstSecond = "first_second"
        case lastSecond = "last_second"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(event, forKey: .event)
        try container.encode(track, forKey: .track)
        try container.encode(team, forKey: .team)
        try container.encode(colour, forKey: .colour)
        try container.encode(number, forKey: .number)
        try container.encode(names, forKey: .names)
        try container.encode(confidence, forKey: .confidence)
        try container.encode((firstSecond * 1000).rounded() / 1000, forKey: .firstSecond)
        try container.encode((lastSecond * 1000).rounded() / 1000, forKey: .lastSecond)
    }
}

extension TrackBoxes.Box {
    /// What a detector found, of no track.
    fileprivate init(_ box: Detection, frame: Int) {
        self.init(
            frame: Int32(clamping: frame), track: 0, left: Float(box.left), top: Float(box.top),
            width: Float(box.width), height: Float(box.height), confidence: Float(box.score), line: 0)
    }
}
