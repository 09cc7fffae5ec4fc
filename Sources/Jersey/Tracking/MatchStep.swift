/// What is done while the players of a video are read. Each step goes through the whole video.
package enum MatchStep: String, Sendable, Codable, CaseIterable {
    /// People are found and followed.
    case following
    /// Their numbers are read.
    case reading
}

extension Recognizer {
    /// Reads the players of a video.
    ///
    /// - Parameters:
    ///   - tracker: finds and follows them.
    ///   - roster: who can be seen; nil takes everybody.
    ///   - path: what errors call the video.
    ///   - progress: called after each frame of each step, with the number of frames so far.
    ///   - open: opens the video at its start, once for each step.
    /// - Throws: `FileError` where the video cannot be decoded, or shows nobody; what `open` throws.
    package func players(
        following tracker: PlayerTracker, roster: Roster?, in path: String,
        progress: (MatchStep, _ frame: Int) -> Void, open: () throws -> VideoReader
    ) throws -> PlayerTable {
        let video = try open()
        let followed = try tracker.track(video) { progress(.following, video.count) }
        guard !followed.boxes.boxes.isEmpty else {
            throw FileError(
                path, "shows nobody who could be followed",
                advice:
                    "let everybody count, if players stand beside a playing area, or give a video in which they are larger"
            )
        }
        var read: [String: [Prediction]] = [:]
        let again = try open()
        _ = try trackReader().read(again, followed.boxes) {
            progress(.reading, again.count)
        } _: { result in
            read[result.prediction.pieceOf ?? result.prediction.track, default: []].append(result.prediction)
        }
        var predictions = followed.boxes.tracks.flatMap { read[$0] ?? [] }
        if let roster { predictions = predictions.map { $0.constrained(to: roster) } }
        return PlayerTable(predictions, in: followed, teams: Teams(followed), roster: roster)
    }
}
