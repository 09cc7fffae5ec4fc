/// A track of a live video, while it goes on.
struct LiveTrack {
    /// Once it was told.
    var name: String?
    let first: Double
    private(set) var last: Double
    private(set) var shirt: ShirtColour?
    private(set) var looks = 0
    /// Those of the window that is not full yet.
    private(set) var pictures: [RGBImage] = []
    /// Whether there are pictures that were not read.
    private(set) var hasNew = false
    /// What was told of its number; nil if nothing was told.
    var told: JerseyNumber??
    private(set) var answer: Prediction?

    /// What the full windows say together.
    private var sum: Prediction?
    private var best: Float = 0

    init(first: Double) {
        (self.first, last) = (first, first)
    }

    var number: JerseyNumber? { answer?.number }

    mutating func see(_ track: MultiObjectTracker.Track, at moment: Double) {
        (last, looks, shirt) = (moment, track.looks, track.shirt)
    }

    /// Adds a view, unless others showed far more.
    mutating func add(quality: Float, _ picture: () -> RGBImage) {
        best = max(best, quality)
        guard quality > 0, quality >= BestMoments.leastShare * best else { return }
        pictures.append(picture())
        hasNew = true
    }

    /// Takes what was read in the pictures.
    mutating func take(_ window: Prediction, _ roster: Roster?, windowSize: Int) {
        hasNew = false
        var all = sum.map { Prediction.joined([$0, window], sequence: window.track) } ?? window
        // The list of frames would grow without end.
        all.frames = []
        if pictures.count >= windowSize { (sum, pictures) = (all, []) }
        answer = roster.map { all.constrained(to: $0) } ?? all
    }

    /// The names by the roster; those of the team if it is known.
    func names(of team: String?) -> [String] {
        let players = answer?.players ?? []
        let own = players.filter { $0.team == team }
        return (own.isEmpty ? players : own).map(\.name).filter { !$0.isEmpty }
    }
}

/// The teams of a live video, by the colours that were seen lately.
struct LiveTeams {
    private let names: [(colour: ShirtColour, name: String)]
    private var seen: [(shirt: ShirtColour, weight: Double)] = []
    /// The colours of A and B, kept so that they do not change their names.
    private var colours: [ShirtColour] = []

    private static let mostSeen = 64

    init(_ names: [(colour: ShirtColour, name: String)]) {
        self.names = names
    }

    mutating func add(_ track: LiveTrack) {
        guard let shirt = track.shirt else { return }
        seen.append((shirt, Double(track.looks)))
        if seen.count > Self.mostSeen { seen.removeFirst() }
    }

    /// The team of a shirt; nil where its colour is unknown.
    mutating func name(of shirt: ShirtColour?, among open: some Collection<LiveTrack>) -> String? {
        let going = open.compactMap { track in track.shirt.map { (shirt: $0, weight: Double(track.looks)) } }
        let all = seen + going
        let teams = Teams(all.map(\.shirt), weights: all.map(\.weight))
        guard let side = teams.side(of: shirt) else { return nil }
        guard names.isEmpty else { return TeamNames(names, teams).name(of: side) }
        guard side != .other, let shirt else { return side.rawValue }
        let colour = teams.colours.min { $0.distance(to: shirt) < $1.distance(to: shirt) } ?? shirt
        if colours.count < 2 { colours = teams.colours }
        guard colours.count == 2 else { return side.rawValue }
        let isFirst = colours[0].distance(to: colour) <= colours[1].distance(to: colour)
        return (isFirst ? Teams.Side.a : .b).rawValue
    }
}
