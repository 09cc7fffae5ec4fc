import Foundation

/// One prediction of several: of the windows of a sequence, and of the sequences of a track.
extension Prediction {
    /// One prediction for each track, in order. A track's sequences count as windows of one player
    /// (`TrackEvidence`).
    ///
    /// - Parameter keepingTracks: whether a track in which the player changes stays one.
    package static func combined(_ predictions: [Prediction], keepingTracks: Bool = true) -> [Prediction] {
        combined(predictions, by: \.track).flatMap { pieces(of: $0, keepingTrack: keepingTracks) }
    }

    /// One prediction for each sequence, in order, from one or more windows of each.
    package static func joinedWindows(_ predictions: [Prediction]) -> [Prediction] {
        combined(predictions, by: \.sequence).map { group in
            group.count > 1 ? joined(group, sequence: group[0].sequence) : group[0]
        }
    }

    private static func combined(_ predictions: [Prediction], by key: KeyPath<Prediction, String>)
        -> [[Prediction]]
    {
        var order: [ExactText] = []
        var groups: [ExactText: [Prediction]] = [:]
        for prediction in predictions {
            let name = ExactText(prediction[keyPath: key])
            if groups[name] == nil { order.append(name) }
            groups[name, default: []].append(prediction)
        }
        return order.compactMap { groups[$0] }
    }

    /// - Parameter group: at least one prediction, all of one track.
    static func joined(_ group: [Prediction], sequence: String, track: String? = nil) -> Prediction {
        let track = track ?? group[0].track
        let readable = group.filter { $0.digits != nil }
        let leftOut = group.flatMap(\.leftOut)
        guard !readable.isEmpty else {
            let nothing = FrameSequence(
                id: sequence, track: track, number: nil, frames: [], anchor: nil)
            var nothingRead = Prediction(UnreadableSequence(sequence: nothing, problems: leftOut))
            nothingRead.unreadable = group.contains(where: \.unreadable)
            return nothingRead
        }
        let windows = readable.compactMap(\.digits)
        let parts = zip(readable, windows).map { $0.evidence ?? TrackEvidence($1, nil) }
        let evidence = TrackEvidence(parts)
        let digits = evidence.distribution(readable[0].calibration)
        let sums = zip(windows, parts).map { $1.looks?.sum ?? $0 }
        let frames = zip(readable, digits.shares(of: sums)).flatMap { window, share in
            window.frames.map { frame in
                // A model without weights treats all frames of a window alike.
                let weight = frame.weight ?? (readable.count > 1 ? 1 / Double(window.frames.count) : nil)
                return frame.weighing(weight.map { $0 * share })
            }
        }
        var joined = Prediction(
            sequence: sequence, track: track, digits: digits, evidence: evidence, frames: frames,
            leftOut: leftOut, calibration: readable[0].calibration, precision: readable[0].precision)
        if readable.count > 1 {
            joined.windows = readable.reduce(0) { $0 + ($1.windows ?? 1) }
            let disagreeing = readable.filter { $0.calibration != nil }.reduce(0) { count, part in
                let isOther = part.number.map { $0 != digits.number } ?? false
                return count + (isOther ? part.windows ?? 1 : part.disagreeingWindows ?? 0)
            }
            joined.disagreeingWindows = disagreeing > 0 ? disagreeing : nil
        }
        return joined
    }
}
