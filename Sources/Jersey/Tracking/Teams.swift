/// Sorts players into two teams by the colours of their shirts.
///
/// The two colours around which most time is spent are the teams'. Shirts that are unlike both, as
/// those of goalkeepers and officials are, belong to neither.
package struct Teams: Sendable {
    package enum Side: String, Sendable, Codable, CaseIterable {
        case a = "A"
        case b = "B"
        case other
    }

    /// For each track; nil where the colour is unknown.
    package let sides: [Side?]
    /// The colours of A and B. B is missing where all wear one colour.
    package let colours: [ShirtColour]

    /// The farthest that a shirt is from the colour of its team, and the nearest that two teams are
    /// to each other. Light and shadow move a shirt by some 10.
    private static let (reach, leastDifference) = (22.0, 18.0)
    /// The share of the time that a second team must have.
    private static let leastShare = 0.12
    /// The most tracks among which colours are searched: the longest ones.
    private static let mostCandidates = 80

    /// - Parameters:
    ///   - shirts: of the tracks.
    ///   - weights: how long each track is seen.
    package init(_ shirts: [ShirtColour?], weights: [Double]) {
        let known = shirts.indices.filter { shirts[$0] != nil && weights[$0] > 0 }
            .sorted { (weights[$1], $0) < (weights[$0], $1) }
        let samples = known.compactMap { index in shirts[index].map { (shirt: $0, weight: weights[index]) } }
        let total = samples.reduce(0) { $0 + $1.weight }
        func cost(_ centres: [ShirtColour]) -> Double {
            samples.reduce(0) { sum, sample in
                let nearest = centres.map { $0.distance(to: sample.shirt) }.min() ?? Self.reach
                return sum + sample.weight * min(nearest, Self.reach)
            }
        }
        let candidates = samples.prefix(Self.mostCandidates).map(\.shirt)
        guard let first = candidates.min(by: { cost([$0]) < cost([$1]) }) else {
            sides = shirts.map { _ in nil }
            colours = []
            return
        }
        var best = (cost: Double.infinity, centres: [first])
        for (place, one) in candidates.enumerated() {
            for two in candidates.dropFirst(place + 1) where one.distance(to: two) >= Self.leastDifference {
                let cost = cost([one, two])
                if cost < best.cost { best = (cost, [one, two]) }
            }
        }
        var centres = best.centres
        for _ in 0..<3 {
            centres = centres.map { centre in
                let own = samples.filter {
                    Self.side(of: $0.shirt, centres) == Self.side(of: centre, centres)
                }
                return own.isEmpty ? centre : ShirtColour.middle(of: own.map(\.shirt))
            }
        }
        func share(_ index: Int) -> Double {
            let own = samples.filter { Self.side(of: $0.shirt, centres) == index }
            return own.reduce(0) { $0 + $1.weight } / max(total, 1e-9)
        }
        if centres.count == 2 {
            if share(0) < share(1) { centres.reverse() }
            if share(1) < Self.leastShare { centres.removeLast() }
        }
        colours = centres
        sides = shirts.map { Self.team(of: $0, centres) }
    }

    /// The team of a shirt; nil where its colour is unknown.
    func side(of shirt: ShirtColour?) -> Side? { Self.team(of: shirt, colours) }

    private static func team(of shirt: ShirtColour?, _ centres: [ShirtColour]) -> Side? {
        shirt.map { [.a, .b, .other][side(of: $0, centres) ?? 2] }
    }

    /// Whether one wears the shirt of A, and the other that of B.
    func areOpponents(_ one: Side?, _ other: Side?) -> Bool {
        (one == .a && other == .b) || (one == .b && other == .a)
    }

    /// The teams of a video's tracks, which weigh as much as they have boxes.
    package init(_ video: TrackedVideo) {
        var weights = [Double](repeating: 0, count: video.boxes.tracks.count)
        for box in video.boxes.boxes { weights[Int(box.track)] += 1 }
        self.init(video.shirts, weights: weights)
    }

    /// The index of the nearest colour within reach.
    private static func side(of shirt: ShirtColour, _ centres: [ShirtColour]) -> Int? {
        let distances = centres.map { $0.distance(to: shirt) }
        guard let nearest = distances.min(), nearest <= reach else { return nil }
        return distances.firstIndex(of: nearest)
    }
}
