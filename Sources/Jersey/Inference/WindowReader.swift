/// Reads tracks window by window. Of a long one, where the reader skims, no more than it takes: a glance at two frames of a window, all of
/// it where these show a number, and no further window once the track is decided.
///
/// Whether a number shows is what the model itself makes of the two frames: one that weighs frames by how well they can be read makes
/// nothing of blank ones, another is at least unsure. A window that is only glanced at counts with that: the little that each of many
/// blank ones would say adds up otherwise (docs/results.md).
struct WindowReader {
    struct Window {
        /// Whose it is.
        let track: Int
        /// Which of the track's, in order of time.
        let place: Int
        /// Whether the track is worth skimming.
        let isOfLong: Bool
        let sequence: FrameSequence
    }

    /// What is known of a long track.
    private struct Track {
        var evidence: WindowEvidence?
        var isDecided = false
    }

    /// Windows of a long track, at least.
    static let longTrack = 4
    /// What a glance tells where a number shows, nats, at least; 4.7 is certainty.
    static let leastInformation = 0.1
    /// Of a track's number, calibrated, from where on it is decided. An answer takes less: those who skim had better be sure.
    static let confidence = 0.999

    private let reader: SequenceReader
    private var tracks: [Int: Track] = [:]

    init(_ reader: SequenceReader) {
        self.reader = reader
    }

    func isDecided(_ track: Int) -> Bool { tracks[track]?.isDecided ?? false }

    /// - Parameters:
    ///   - windows: of any tracks, those of each in order of time.
    ///   - body: gets the index of a window, in any order, with what was read of it or in the glance at it; nil where its track was
    ///     decided before.
    /// - Throws: what a strict loader throws.
    mutating func read(
        _ windows: [Window], _ body: (Int, Result<Reading, UnreadableSequence>?) throws -> Void
    ) throws {
        var waiting = Array(windows.indices)
        while !waiting.isEmpty {
            let (round, later) = nextRound(of: windows, waiting)
            for index in waiting where isDecided(windows[index].track) { try body(index, nil) }
            waiting = later
            let blank = try glance(at: round.filter { skims(windows[$0]) }, of: windows)
            for (index, glance) in blank.sorted(by: { $0.key < $1.key }) {
                takeIn(glance, windows[index])
                try body(index, .success(glance))
            }
            var rest = round.filter { blank[$0] == nil }[...]
            try reader.read(rest.map { windows[$0].sequence }) { result in
                let index = rest.removeFirst()
                if case .success(let reading) = result { takeIn(reading, windows[index]) }
                try body(index, result)
            }
            for index in round where skims(windows[index]) { decide(windows[index]) }
        }
    }

    private func skims(_ window: Window) -> Bool { reader.skims && window.isOfLong }

    /// The first windows of a long track are read one after the other, then as many at once as have been before: seldom more than is
    /// needed, and mostly in full batches. Rounds do not depend on which windows come in one call.
    private func nextRound(of windows: [Window], _ waiting: [Int]) -> (now: [Int], later: [Int]) {
        var rounds: [Int: Int] = [:]
        var (now, later) = ([Int](), [Int]())
        for index in waiting where !isDecided(windows[index].track) {
            let window = windows[index]
            let round = skims(window) ? Self.round(window.place) : 0
            if rounds[window.track, default: round] == round { now.append(index) } else { later.append(index) }
            rounds[window.track] = rounds[window.track] ?? round
        }
        return (now, later)
    }

    /// 0, 1, 2, 2, 3, 3, 3, 3, 4 …
    private static func round(_ place: Int) -> Int { Int.bitWidth - place.leadingZeroBitCount }

    /// What was read in glances that showed nothing.
    private func glance(at indices: [Int], of windows: [Window]) throws -> [Int: Reading] {
        var blank: [Int: Reading] = [:]
        var rest = indices[...]
        try reader.read(indices.map { windows[$0].sequence.glance }) { result in
            let index = rest.removeFirst()
            guard case .success(let reading) = result, Belief(reading).information < Self.leastInformation else { return }
            blank[index] = reading
        }
        return blank
    }

    private mutating func takeIn(_ reading: Reading, _ window: Window) {
        guard skims(window) else { return }
        let belief = Belief(reading)
        let former = tracks[window.track]?.evidence
        tracks[window.track, default: Track()].evidence = former?.adding(belief) ?? WindowEvidence(belief)
    }

    /// At the end of a round.
    private mutating func decide(_ window: Window) {
        guard Self.round(window.place) != Self.round(window.place + 1), let belief = tracks[window.track]?.evidence?.belief()
        else {
            return
        }
        tracks[window.track]?.isDecided = belief.probability(of: belief.number) >= Self.confidence
    }
}

extension SequenceReader {
    /// Reads sequences of any length, each in its windows.
    ///
    /// - Parameters:
    ///   - windows: of each sequence (`SequenceLoader.windows`).
    ///   - progress: called after each window; what it throws ends the reading.
    /// - Returns: a prediction for each sequence, in order.
    /// - Throws: what a strict loader throws.
    public func predictions(_ windows: [[FrameSequence]], progress: () throws -> Void = {}) throws -> [Prediction] {
        let all = windows.enumerated().flatMap { track, windows in
            windows.enumerated().map { place, sequence in
                WindowReader.Window(
                    track: track, place: place, isOfLong: windows.count >= WindowReader.longTrack, sequence: sequence)
            }
        }
        var predictions: [Prediction?] = all.map { _ in nil }
        var reader = WindowReader(self)
        try reader.read(all) { index, result in
            predictions[index] = result.map(Prediction.init)
            try progress()
        }
        var rest = predictions[...]
        return windows.map { windows in
            defer { rest.removeFirst(windows.count) }
            return Prediction.joinedWindows(rest.prefix(windows.count).compactMap { $0 })[0]
        }
    }
}
