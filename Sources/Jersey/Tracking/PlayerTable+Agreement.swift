/// Tracks that say too little by themselves, but the same.
extension PlayerTable {
    /// A track says nothing about a number that it takes for less probable, 0...1.
    private static let leastConfidence = 0.5

    /// A player whom only unsure tracks show.
    struct Agreement {
        let pieces: [Piece]
        let confidence: Double
    }

    /// The players with a number that no track is sure of by itself, but several tracks of a team
    /// together are. No two of these are seen at the same time. What repeats between tracks is
    /// discounted as between the windows of one track (`Evidence.windowCorrelation`), and the
    /// threshold is that of a track.
    ///
    /// Only numbers of two digits are taken. A 17 and a 27 that are hidden in part both show a 7, so
    /// tracks of different players agree on one digit (docs/measurements/following.md).
    ///
    /// - Parameters:
    ///   - pieces: the surest first.
    ///   - known: players who need no agreement. Unsure tracks are not added to them: a misread
    ///     number is often that of somebody else.
    static func agreements(
        _ pieces: [Piece], _ predictions: [Prediction], besides known: Set<Key>
    ) -> [Key: Agreement] {
        var groups: [Key: [Piece]] = [:]
        for piece in pieces {
            let prediction = predictions[piece.index]
            guard prediction.number == nil, prediction.conflict == nil, prediction.digits != nil,
                let best = prediction.top.first, best.probability >= leastConfidence,
                best.number.tens != JerseyNumber.blank
            else { continue }
            let key = Key(side: piece.side, number: best.number)
            guard !known.contains(key), !groups[key, default: []].contains(where: piece.isSeenWith) else {
                continue
            }
            groups[key, default: []].append(piece)
        }
        return groups.compactMapValues { pieces in
            guard pieces.count > 1 else { return nil }
            let surest = predictions[pieces[0].index]
            let digits = DigitDistribution(windows: pieces.compactMap { predictions[$0.index].digits })
            guard let threshold = surest.calibration?.threshold, digits.confidence >= threshold,
                digits.number == surest.top.first?.number
            else { return nil }
            return Agreement(pieces: pieces, confidence: digits.confidence)
        }
    }
}
