import Foundation
import Jersey
import Testing

@testable import JerseyLab

@Suite struct EvaluationTests {
    /// A reading that is certain of `read`.
    private func reading(_ id: String, track: String, truth: String, read: String, certainty: Double = 0.9)
        -> Reading
    {
        Reading(FrameSequence(id, track: track, number: truth), read: read, certainty: certainty)
    }

    @Test func `Wilson's interval is that of the textbook`() {
        let interval = Proportion(8, of: 10).interval!
        #expect(abs(interval[0] - 0.4901625) < 1e-6 && abs(interval[1] - 0.9433178) < 1e-6)
        #expect(Proportion(0, of: 0).interval == nil && Proportion(0, of: 0).value == nil)
        #expect(
            abs(Proportion(10, of: 10).interval![1] - 1) < 1e-12
                && abs(Proportion(0, of: 10).interval![0]) < 1e-12)
    }

    @Test func `Sequences and tracks are different figures`() {
        let evaluation = Evaluation(
            [
                reading("1", track: "a", truth: "48", read: "48", certainty: 0.99),
                reading("2", track: "a", truth: "48", read: "49", certainty: 0.6),
                reading("3", track: "b", truth: "7", read: "8"),
            ], seenNumbers: [JerseyNumber("48")!])
        #expect(evaluation.all.sequences.number == Proportion(1, of: 3))
        #expect(evaluation.all.sequences.tens == Proportion(3, of: 3))
        #expect(evaluation.all.tracks.number == Proportion(1, of: 2))
        #expect(evaluation.seen?.sequences.number == Proportion(1, of: 2))
        #expect(evaluation.unseen?.tracks.number == Proportion(0, of: 1))
    }

    @Test func `The loss is the mean of both cross-entropies`() {
        let evaluation = Evaluation(
            [reading("1", track: "a", truth: "48", read: "48", certainty: 0.5)], seenNumbers: nil)
        #expect(abs(evaluation.loss + 2 * log(0.5)) < 1e-12)
    }

    @Test func `The head for the full number has a share and a loss of its own, which come back from JSON`()
        throws
    {
        var readings = [
            reading("1", track: "a", truth: "48", read: "49", certainty: 0.5),
            reading("2", track: "b", truth: "7", read: "7"),
        ]
        readings = readings.map { plain in
            let full = JerseyNumber.all.map { $0 == JerseyNumber("48") ? log(0.5) : log(0.5 / 109) }
            return Reading(
                sequence: plain.sequence, digits: plain.digits, full: full, used: [0], attention: nil,
                problems: [])
        }
        #expect(readings[0].number == JerseyNumber("49") && readings[0].fullNumber == JerseyNumber("48"))
        let evaluation = Evaluation([readings[0]], seenNumbers: nil, weights: (0, 0, 2))
        #expect(abs(evaluation.loss + 2 * log(0.5)) < 1e-12)
        let both = Evaluation(readings, seenNumbers: [])
        #expect(
            both.all.sequences.full == Proportion(1, of: 2)
                && both.all.sequences.number == Proportion(1, of: 2))
        let json = try JSONEncoder().encode(both)
        #expect(String(decoding: json, as: UTF8.self).contains(#""full_accuracy":0.5"#))
        #expect(try JSONDecoder().decode(Evaluation.self, from: json).all == both.all)
    }

    @Test func `Outcomes that were written before there were more columns are read`() throws {
        let outcome = Outcome(reading("1", track: "a", truth: "48", read: "48"))
        let line = try JSONEncoder().encode(outcome)
        let text = String(decoding: line, as: UTF8.self)
        #expect(!text.contains("full") && text.contains(#""heights":[]"#))
        let old = Data(text.replacing(/"heights":\[\],?/, with: "").replacing(",}", with: "}").utf8)
        let decoded = try JSONDecoder().decode(Outcome.self, from: old)
        #expect(decoded.full == nil && decoded.heights == nil && decoded.prediction == "48")
    }

    @Test func `The JSON has the documented keys`() throws {
        let evaluation = Evaluation([reading("1", track: "a", truth: "48", read: "48")], seenNumbers: nil)
        let json = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(evaluation)) as? [String: Any])
        #expect(
            Set(json.keys) == [
                "sequences", "tracks", "seen", "unseen", "loss", "unreadable_files", "unreadable_sequences",
                "precision",
            ])
        let sequences = try #require(json["sequences"] as? [String: Any])
        #expect(
            Set(sequences.keys) == ["count", "number_accuracy", "tens_accuracy", "ones_accuracy", "interval"])
        let tracks = try #require(json["tracks"] as? [String: Any])
        #expect(Set(tracks.keys) == ["count", "number_accuracy", "interval"])
        #expect(json["seen"] is NSNull)
    }

    @Test(arguments: [(1.0, 1.0, 0.1), (1, 0, 0.2), (0, 1, 0.3), (0, 0, 0.4)])
    func `The best weights are chosen by what the losses teach`(tens: Double, ones: Double, accuracy: Double)
    {
        var training = TrainingConfig()
        (training.tensWeight, training.onesWeight, training.fullWeight) = (tens, ones, 1)
        let part = EpochMetrics.Part(
            loss: 1, numberAccuracy: 0.1, tensAccuracy: 0.2, onesAccuracy: 0.3, fullAccuracy: 0.4,
            sequences: 10)
        #expect(part.accuracy(taughtBy: training) == accuracy)
    }
}
