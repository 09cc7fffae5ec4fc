import Foundation

/// What was read in one sequence, for people and programs. The JSON keys are stable.
public struct Prediction: Codable, Sendable, Equatable {
    public struct Candidate: Codable, Sendable, Equatable {
        public let number: JerseyNumber
        /// 0...1
        public let probability: Double
    }

    public struct FrameWeight: Codable, Sendable, Equatable {
        public let path: String
        /// 0...1, sum 1 over the frames used; nil where the model has no weights.
        public let weight: Double?
    }

    public let sequence: String
    public let track: String
    /// Nil where no frame could be read, or the sequence is unreadable.
    public let number: JerseyNumber?
    /// Probability of the most probable number, 0...1; nil where no frame could be read.
    public let confidence: Double?
    /// Whether frames were read, but no number with enough confidence.
    public let unreadable: Bool
    /// The three most probable numbers.
    public let top: [Candidate]
    /// Probabilities of 0...9 and blank.
    public let tens: [Double]
    /// Probabilities of 0...9.
    public let ones: [Double]
    public let frames: [FrameWeight]
    public let leftOut: [FrameProblem]
    /// Least confidence of an answer; nil where every sequence is answered. Not part of the JSON.
    private var threshold: Double?

    private enum CodingKeys: String, CodingKey {
        case sequence, track, number, confidence, unreadable, top, tens, ones, frames
        case leftOut = "left_out"
    }

    public init(_ reading: Reading) {
        self.init(
            sequence: reading.sequence.id, track: reading.sequence.track, belief: Belief(reading),
            frames: reading.used.enumerated().map { place, index in
                FrameWeight(path: reading.sequence.frames[index], weight: reading.attention?[place])
            }, leftOut: reading.problems, threshold: reading.threshold)
    }

    /// A sequence of which no frame could be read.
    public init(_ unreadable: UnreadableSequence) {
        sequence = unreadable.sequence.id
        track = unreadable.sequence.track
        number = nil
        confidence = nil
        self.unreadable = false
        (top, tens, ones, frames) = ([], [], [], [])
        leftOut = unreadable.problems
    }

    private init(
        sequence: String, track: String, belief: Belief, frames: [FrameWeight], leftOut: [FrameProblem], threshold: Double?
    ) {
        self.sequence = sequence
        self.track = track
        let confidence = belief.probability(of: belief.number)
        unreadable = threshold.map { confidence < $0 } ?? false
        number = unreadable ? nil : belief.number
        self.confidence = confidence
        self.threshold = threshold
        top = belief.top(3).map { Candidate(number: $0, probability: belief.probability(of: $0)) }
        tens = belief.tens.map(exp)
        ones = belief.ones.map(exp)
        self.frames = frames
        self.leftOut = leftOut
    }

    /// One prediction for each track, in order: the evidence of its sequences summed in log space, the weights of frames shared.
    public static func combined(_ predictions: [Prediction]) -> [Prediction] {
        var order: [String] = []
        var groups: [String: [Prediction]] = [:]
        for prediction in predictions {
            if groups[prediction.track] == nil { order.append(prediction.track) }
            groups[prediction.track, default: []].append(prediction)
        }
        return order.map { track in
            let group = groups[track]!
            let readable = group.filter { !$0.tens.isEmpty }
            let leftOut = group.flatMap(\.leftOut)
            guard !readable.isEmpty else {
                return Prediction(
                    UnreadableSequence(
                        sequence: FrameSequence(id: track, track: track, number: nil, frames: [], anchor: nil), problems: leftOut)
                )
            }
            let belief = Belief(combining: readable.map { Belief(probabilities: $0.tens, $0.ones) })
            let share = 1 / Double(readable.count)
            let frames = readable.flatMap(\.frames).map { FrameWeight(path: $0.path, weight: $0.weight.map { $0 * share }) }
            return Prediction(
                sequence: track, track: track, belief: belief, frames: frames, leftOut: leftOut, threshold: readable[0].threshold)
        }
    }
}
