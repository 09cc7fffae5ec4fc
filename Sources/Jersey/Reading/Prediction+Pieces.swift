import Foundation

/// Tracks in which the player changes.
extension Prediction {
    /// What a few frames of a window say by themselves.
    struct Part: Sendable, Equatable {
        /// Calibrated where the model is.
        let digits: DigitDistribution
        let evidence: TrackEvidence
    }

    /// The frames of a part. At the usual distance of frames it lasts less than a second.
    static let partLength = 4

    /// What was read of a track, or of each of its players (`TrackCut`).
    ///
    /// - Parameters:
    ///   - windows: of one track, in time order; at least one.
    ///   - span: the frames of the track in its video, as the tracker counts; nil if it is of none.
    ///   - keepingTrack: whether the track stays whole.
    static func pieces(
        of windows: [Prediction], within span: ClosedRange<Int>? = nil, keepingTrack: Bool
    ) -> [Prediction] {
        let name = windows[0].track
        let players = keepingTrack ? [windows] : TrackCut.pieces(of: windows)
        guard players.count > 1 else {
            var whole = joined(windows, sequence: name)
            whole.span = span
            return [whole]
        }
        var pieces = players.enumerated().map { place, windows in
            let pieceName = "\(name)/\(letters(place))"
            var piece = joined(windows, sequence: pieceName, track: pieceName)
            piece.pieceOf = name
            return piece
        }
        if let span {
            var start = span.lowerBound
            for index in pieces.indices {
                let last = pieces[index].readFrames?.upperBound
                let next = index + 1 < pieces.count ? pieces[index + 1].readFrames?.lowerBound : nil
                // In the middle between the last look at one player and the first at the next.
                let end = last.flatMap { last in next.map { (last + $0 - 1) / 2 } } ?? span.upperBound
                pieces[index].span = start...max(start, end)
                start = max(start, end) + 1
            }
        }
        return pieces
    }

    /// A window without all but some of its parts.
    func part(_ indices: [Int]) -> Prediction {
        guard !parts.isEmpty, indices.count < parts.count, let digits else { return self }
        let places = indices.flatMap { part in
            (part * Self.partLength..<(part + 1) * Self.partLength).filter(frames.indices.contains)
        }
        let total = places.reduce(0) { $0 + (frames[$1].weight ?? 0) }
        let evidence =
            indices.isEmpty ? TrackEvidence(digits, nil) : TrackEvidence(indices.map { parts[$0].evidence })
        let rest = Prediction(
            sequence: sequence, track: track,
            digits: indices.isEmpty ? digits : evidence.distribution(calibration), evidence: evidence,
            frames: places.map { place in
                let weight = frames[place].weight.map { total > 0 ? $0 / total : 1 / Double(places.count) }
                return frames[place].weighing(weight)
            }, leftOut: indices.contains(0) ? leftOut : [], calibration: calibration, precision: precision)
        return rest
    }

    /// What the parts of a window say; the whole window is its only part where it was not read in
    /// parts.
    var partDigits: [DigitDistribution] {
        parts.isEmpty ? [digits].compactMap(\.self) : parts.map(\.digits)
    }

    /// The first and the last frame of a video that were read.
    private var readFrames: ClosedRange<Int>? {
        let numbers = frames.compactMap { $0.videoFrame.flatMap { Int($0) } }
        return numbers.min().flatMap { first in numbers.max().map { first...$0 } }
    }

    /// a, b, … z, aa, ab …
    private static func letters(_ place: Int) -> String {
        let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(place % 26)))
        return place < 26 ? letter : letters(place / 26 - 1) + letter
    }

    /// Gives tracks that may show one player whom the tracker lost and found the same `playerID`.
    ///
    /// These are tracks, or pieces of them, with the same number, no two of which are seen at the
    /// same time. If two are, all with that number are left apart, because two players wear it. So
    /// are those whose number two players of a roster wear. Where the tracker's file has a class or
    /// a team, only tracks of the same one are compared.
    ///
    /// - Parameter predictions: those of the tracks of one video.
    public static func grouped(_ predictions: [Prediction]) -> [Prediction] {
        PlayerGrouping.grouped(predictions)
    }
}

/// The predictions of a tracker's boxes: of a box's track, or of the piece of it in that frame.
package struct BoxPredictions {
    private let pieces: [String: [Prediction]]

    /// - Parameter predictions: of the tracks of one video.
    package init(_ predictions: [Prediction]) {
        pieces = Dictionary(grouping: predictions) { $0.pieceOf ?? $0.track }
    }

    /// - Parameter frame: as the tracker counts.
    package func prediction(ofTrack track: String, frame: Int) -> Prediction? {
        guard let pieces = pieces[track] else { return nil }
        return pieces.count == 1 ? pieces[0] : pieces.first { $0.span?.contains(frame) ?? false }
    }
}
