/// Reads tracks window by window. If the reader skims, it stops early in long tracks.
///
/// Two frames of each window are previewed. A window is read in full only if the preview shows a
/// number, and no window is read once the track is decided. The model decides whether a preview
/// shows a number: a model that weighs frames by readability gives blank frames almost no weight,
/// and others are at least uncertain. A window that is only previewed contributes its preview,
/// because otherwise the little evidence of many blank windows would add up
/// (docs/measurements/long-tracks.md).
struct WindowReader {
    struct Window {
        /// The track that the window belongs to.
        let track: Int
        /// The index among the track's windows, in time order.
        let place: Int
        /// Whether the track is worth skimming.
        let isOfLong: Bool
        let sequence: FrameSequence
    }

    /// The state of a long track.
    private struct Track {
        var evidence: TrackEvidence?
        var isDecided = false
    }

    /// A track with at least this many windows is long.
    static let longTrack = 4
    /// A preview that is less likely to be read correctly shows no number, 0...1.
    static let leastReadability = 0.2
    /// A preview with less information, in nats, shows no number, if the model does not judge
    /// frames. Certainty is 4.7.
    static let leastInformation = 0.1

    private let reader: SequenceReader
    private var tracks: [Int: Track] = [:]

    init(_ reader: SequenceReader) {
        self.reader = reader
    }

    func isDecided(_ track: Int) -> Bool { tracks[track]?.isDecided ?? false }

    /// - Parameters:
    ///   - windows: of any tracks, those of each track in time order.
    ///   - body: gets the index of a window, in any order, and the reading of the window or its
    ///     preview. The reading is nil if the track was decided before.
    /// - Throws: what a strict loader throws.
    mutating func read(
        _ windows: [Window], _ body: (Int, Result<Reading, UnreadableSequence>?) throws -> Void
    ) throws {
        var waiting = Array(windows.indices)
        while !waiting.isEmpty {
            let (round, later) = nextRound(of: windows, waiting)
            for index in waiting where isDecided(windows[index].track) { try body(index, nil) }
            waiting = later
            let blank = try previews(of: round.filter { skims(windows[$0]) }, in: windows)
            for (index, preview) in blank.sorted(by: { $0.key < $1.key }) {
                update(preview, windows[index])
                try body(index, .success(preview))
            }
            var rest = round.filter { blank[$0] == nil }[...]
            try reader.read(rest.map { windows[$0].sequence }) { result in
                let index = rest.removeFirst()
                if case .success(let reading) = result { update(reading, windows[index]) }
                try body(index, result)
            }
            for index in round where skims(windows[index]) { decide(windows[index]) }
        }
    }

    private func skims(_ window: Window) -> Bool { reader.skims && window.isOfLong }

    /// The windows to read next. The first windows of a long track are read one by one, then each
    /// round has as many as all before it: seldom more than necessary, and mostly in full batches.
    /// Rounds do not depend on which windows come in one call.
    private func nextRound(of windows: [Window], _ waiting: [Int]) -> (now: [Int], later: [Int]) {
        var rounds: [Int: Int] = [:]
        var (now, later) = ([Int](), [Int]())
        for index in waiting where !isDecided(windows[index].track) {
            let window = windows[index]
            let round = skims(window) ? Self.round(window.place) : 0
            if rounds[window.track, default: round] == round {
                now.append(index)
            } else {
                later.append(index)
            }
            rounds[window.track] = rounds[window.track] ?? round
        }
        return (now, later)
    }

    /// 0, 1, 2, 2, 3, 3, 3, 3, 4 …
    private static func round(_ place: Int) -> Int { Int.bitWidth - place.leadingZeroBitCount }

    /// The previews that show no number.
    private func previews(of indices: [Int], in windows: [Window]) throws -> [Int: Reading] {
        // Without skimming there are none, and no loader need be started for them.
        guard !indices.isEmpty else { return [:] }
        var blank: [Int: Reading] = [:]
        var rest = indices[...]
        try reader.read(indices.map { windows[$0].sequence.preview }) { result in
            let index = rest.removeFirst()
            guard case .success(let reading) = result, Self.isBlank(reading) else { return }
            blank[index] = reading
        }
        return blank
    }

    private static func isBlank(_ reading: Reading) -> Bool {
        guard !reading.looks.isEmpty else { return reading.digits.information < leastInformation }
        return Looks(reading.looks).readability < leastReadability
    }

    private mutating func update(_ reading: Reading, _ window: Window) {
        guard skims(window) else { return }
        var track = tracks[window.track] ?? Track()
        track.evidence.add(TrackEvidence(reading))
        tracks[window.track] = track
    }

    /// Decides the track at the end of a round.
    private mutating func decide(_ window: Window) {
        guard Self.round(window.place) != Self.round(window.place + 1),
            let evidence = tracks[window.track]?.evidence
        else {
            return
        }
        let digits = evidence.distribution(reader.calibration)
        let isDecided = digits.confidence >= (reader.calibration?.decisive ?? 1)
        tracks[window.track]?.isDecided = isDecided
    }
}

extension SequenceReader {
    /// Reads sequences of any length, each in its windows.
    ///
    /// - Parameters:
    ///   - windows: those of each sequence (`SequenceLoader.windows`).
    ///   - progress: called after each window; what it throws ends the reading.
    /// - Returns: a prediction for each sequence, in order.
    /// - Throws: what a strict loader throws.
    package func predictions(_ windows: [[FrameSequence]], progress: () throws -> Void = {}) throws
        -> [Prediction]
    {
        let all = windows.enumerated().flatMap { track, windows in
            windows.enumerated().map { place, sequence in
                WindowReader.Window(
                    track: track, place: place, isOfLong: windows.count >= WindowReader.longTrack,
                    sequence: sequence)
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
