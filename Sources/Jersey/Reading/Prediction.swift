import Foundation

/// What was read in one sequence or track, for people and programs. The JSON keys are stable.
public struct Prediction: Codable, Sendable, Equatable {
    /// A number with its probability.
    public struct Candidate: Codable, Sendable, Equatable {
        /// The number.
        public let number: JerseyNumber
        /// Its probability, 0...1.
        public let probability: Double
    }

    /// A frame that was read, with its weight in the answer.
    public struct FrameWeight: Codable, Sendable, Equatable {
        /// The path of the frame, or its name where it was in memory or in a video.
        public let path: String
        /// The share of the frame in the answer, 0...1; the shares of a prediction's frames sum to
        /// 1. Nil where the model does not weigh frames.
        public let weight: Double?
        /// Where the number is in the frame. Nil where none was found, and where the model reads
        /// frames as they are.
        public let box: NumberBox?
        /// The colour of the shirt around the number, in frames of videos. Not part of the JSON.
        package var shirt: ShirtColour? = nil

        private enum CodingKeys: String, CodingKey {
            case path, weight, box
        }

        /// The same frame with another share.
        func weighing(_ weight: Double?) -> FrameWeight {
            FrameWeight(path: path, weight: weight, box: box, shirt: shirt)
        }

        /// The number of the frame in its video, as the tracker counts; nil for an image file.
        package var videoFrame: String? { path.firstMatch(of: /#frame=(\d+),/).map { String($0.output.1) } }
    }

    /// The name of the sequence: `FrameSequence.id`.
    public let sequence: String
    /// The name of the track: `FrameSequence.track`.
    public let track: String
    /// The answer. Nil where no frame could be read, the sequence is `unreadable`, or there is a
    /// `conflict`.
    public internal(set) var number: JerseyNumber?
    /// The probability of the most probable number, 0...1. Nil where no frame could be read, or
    /// there is a `conflict`.
    public internal(set) var confidence: Double?
    /// Whether frames were read without an answer: the confidence is below the model's threshold,
    /// or the model's output is not finite.
    public internal(set) var unreadable: Bool
    /// The three most probable numbers, among those of the roster where there is one.
    public internal(set) var top: [Candidate]
    /// The probabilities of all numbers, calibrated where the model is, without regard to a roster.
    /// Nil where no frame could be read.
    public let digits: DigitDistribution?
    /// 11 probabilities, of 0...9 and blank. Empty where no frame could be read.
    public let tens: [Double]
    /// 10 probabilities, of 0...9. Empty where no frame could be read.
    public let ones: [Double]
    /// The frames that were read.
    public internal(set) var frames: [FrameWeight]
    /// The frames that could not be read.
    public let leftOut: [FrameProblem]
    /// How many windows or sequences were read or previewed, where there were several. Nil for one.
    public internal(set) var windows: Int?
    /// How many windows would, each by itself, be answered with another number. Nil where there are
    /// none, and where the model has no threshold.
    public internal(set) var disagreeingWindows: Int?
    /// The players who wear the number by the roster; several where several teams have it. Nil
    /// without a roster.
    public internal(set) var players: [Roster.Player]?
    /// A number that was seen although the roster does not list it.
    public internal(set) var conflict: Candidate?
    /// The precision in which the encoder computed. Nil where no frame could be read.
    public let precision: Precision?
    /// The tracker's name of the track of which this is a piece, because the player changes. Nil for
    /// a whole track.
    public internal(set) var pieceOf: String?
    /// The first and the last frame of the track or piece in its video, as the tracker counts. Nil
    /// for frames that are not of a video.
    public internal(set) var span: ClosedRange<Int>?
    /// Who this is among the tracks of a video: tracks or pieces that may show one player have the
    /// same name here, that of the first of them (`grouped(_:)`). Nil without an answer.
    public internal(set) var playerID: String?
    /// What parts of a window say by themselves (`Reading.parts`). Not part of the JSON.
    var parts: [Part] = []
    /// The class of the track's boxes, such as a team, where the tracker's file has one. Not part of
    /// the JSON.
    var kind: String?
    /// What the confidence is calibrated by; nil if it is not, and every sequence is answered. Not
    /// part of the JSON.
    var calibration: ModelCalibration?
    /// What was read, for the track of several sequences. Not part of the JSON; nil where no frame
    /// could be read, and for decoded predictions.
    var evidence: TrackEvidence?

    private enum CodingKeys: String, CodingKey {
        case sequence, track, number, confidence, unreadable, top, tens, ones, frames, windows, players,
            conflict, precision
        case disagreeingWindows = "windows_against"
        case pieceOf = "piece_of"
        case firstFrame = "first_frame"
        case lastFrame = "last_frame"
        case playerID = "player_id"
        case leftOut = "left_out"
    }

    /// Decodes what `encode(to:)` and `jersey predict --format json` write.
    ///
    /// - Parameter decoder: has an object.
    /// - Throws: `DecodingError` where a key is missing, or the digits are not 11 and 10.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        sequence = try container.decode(String.self, forKey: .sequence)
        track = try container.decode(String.self, forKey: .track)
        number = try container.decodeIfPresent(JerseyNumber.self, forKey: .number)
        confidence = try container.decodeIfPresent(Double.self, forKey: .confidence)
        unreadable = try container.decode(Bool.self, forKey: .unreadable)
        top = try container.decode([Candidate].self, forKey: .top)
        tens = try container.decode([Double].self, forKey: .tens)
        ones = try container.decode([Double].self, forKey: .ones)
        guard [0, 11].contains(tens.count), ones.count == max(tens.count - 1, 0) else {
            throw DecodingError.dataCorruptedError(
                forKey: .tens, in: container, debugDescription: "there must be 11 tens and 10 ones, or none")
        }
        digits = tens.isEmpty ? nil : DigitDistribution(probabilities: tens, ones)
        frames = try container.decode([FrameWeight].self, forKey: .frames)
        leftOut = try container.decode([FrameProblem].self, forKey: .leftOut)
        windows = try container.decodeIfPresent(Int.self, forKey: .windows)
        disagreeingWindows = try container.decodeIfPresent(Int.self, forKey: .disagreeingWindows)
        players = try container.decodeIfPresent([Roster.Player].self, forKey: .players)
        conflict = try container.decodeIfPresent(Candidate.self, forKey: .conflict)
        precision = try container.decodeIfPresent(Precision.self, forKey: .precision)
        pieceOf = try container.decodeIfPresent(String.self, forKey: .pieceOf)
        let ends = (
            try container.decodeIfPresent(Int.self, forKey: .firstFrame),
            try container.decodeIfPresent(Int.self, forKey: .lastFrame)
        )
        if let first = ends.0, let last = ends.1, first <= last { span = first...last }
        playerID = try container.decodeIfPresent(String.self, forKey: .playerID)
    }

    /// Encodes the object that `jersey predict --format json` writes.
    ///
    /// - Parameter encoder: takes an object.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sequence, forKey: .sequence)
        try container.encode(track, forKey: .track)
        // Null if there is none, so that every row has the key.
        try container.encode(number, forKey: .number)
        try container.encode(confidence, forKey: .confidence)
        try container.encode(unreadable, forKey: .unreadable)
        try container.encode(top, forKey: .top)
        try container.encode(tens, forKey: .tens)
        try container.encode(ones, forKey: .ones)
        try container.encode(frames, forKey: .frames)
        try container.encode(leftOut, forKey: .leftOut)
        try container.encodeIfPresent(windows, forKey: .windows)
        try container.encodeIfPresent(disagreeingWindows, forKey: .disagreeingWindows)
        try container.encodeIfPresent(players, forKey: .players)
        try container.encodeIfPresent(conflict, forKey: .conflict)
        try container.encodeIfPresent(precision, forKey: .precision)
        try container.encodeIfPresent(pieceOf, forKey: .pieceOf)
        try container.encodeIfPresent(span?.lowerBound, forKey: .firstFrame)
        try container.encodeIfPresent(span?.upperBound, forKey: .lastFrame)
        try container.encodeIfPresent(playerID, forKey: .playerID)
    }

    /// Whether at least two windows, and a quarter of all, would be answered with another number.
    /// Such a track likely shows more than one player.
    public var isMixed: Bool {
        guard let windows, let disagreeingWindows else { return false }
        return disagreeingWindows >= 2 && 4 * disagreeingWindows >= windows
    }

    /// The colour of the shirt around the number, in the frames of a video that weigh most; nil where
    /// no number was found.
    package var shirtAroundNumber: ShirtColour? {
        let most = frames.compactMap(\.weight).max() ?? 0
        let shirts = frames.filter { 2 * ($0.weight ?? 0) >= most }.compactMap(\.shirt)
        return shirts.isEmpty ? nil : .middle(of: shirts)
    }

    /// The number, "unreadable", or "-" where no frame could be read or there is a `conflict`.
    public var answer: String { number?.description ?? (unreadable ? "unreadable" : "-") }

    package init(_ reading: Reading) {
        self.init(
            sequence: reading.sequence.id, track: reading.sequence.track, digits: reading.digits,
            evidence: TrackEvidence(reading),
            frames: reading.used.enumerated().map { place, index in
                let box = reading.boxes.isEmpty ? nil : reading.boxes[place]
                let picture = try? reading.sequence.images?[index].get()
                return FrameWeight(
                    path: reading.sequence.frames[index], weight: reading.attention?[place], box: box,
                    shirt: box.flatMap { box in picture.flatMap { ShirtColour(around: box, in: $0) } })
            }, leftOut: reading.problems, calibration: reading.calibration, precision: reading.precision)
        parts = reading.parts
    }

    /// The prediction for a sequence without a readable frame.
    package init(_ unreadable: UnreadableSequence) {
        sequence = unreadable.sequence.id
        track = unreadable.sequence.track
        number = nil
        confidence = nil
        self.unreadable = unreadable.hasBrokenOutput
        top = []
        digits = nil
        tens = []
        ones = []
        frames = []
        leftOut = unreadable.problems
        precision = nil
    }

    package init(_ result: Result<Reading, UnreadableSequence>) {
        switch result {
        case .success(let reading): self.init(reading)
        case .failure(let unreadable): self.init(unreadable)
        }
    }

    init(
        sequence: String, track: String, digits: DigitDistribution, evidence: TrackEvidence,
        frames: [FrameWeight],
        leftOut: [FrameProblem],
        calibration: ModelCalibration?, precision: Precision?
    ) {
        self.sequence = sequence
        self.track = track
        let confidence = digits.confidence
        // Not `<`, because every comparison with NaN is false.
        unreadable = calibration.map { !(confidence >= $0.threshold) } ?? !confidence.isFinite
        number = unreadable ? nil : digits.number
        self.confidence = confidence
        self.calibration = calibration
        self.evidence = evidence
        top = digits.top(3).map { Candidate(number: $0, probability: digits.probability(of: $0)) }
        self.digits = digits
        tens = digits.tens.map(exp)
        ones = digits.ones.map(exp)
        self.frames = frames
        self.leftOut = leftOut
        self.precision = precision
    }
}
