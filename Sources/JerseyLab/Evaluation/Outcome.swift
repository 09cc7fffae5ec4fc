import Foundation
import Jersey

/// The reading of one test sequence: a line of `outcomes.jsonl`.
package struct Outcome: Codable, Sendable, Checked {
    package var sequence: String
    package var track: String
    package var truth: String?
    package var prediction: String
    package var confidence: Double
    /// Probabilities of 0...9 and blank.
    package var tens: [Double]
    package var ones: [Double]
    /// Probabilities of all numbers, one-digit numbers first; nil without a full-number head.
    package var full: [Double]?
    /// A weight per frame read.
    package var attention: [Double]?
    package var frames: [String]
    /// Original height in pixels of each frame read; nil in files of older versions.
    package var heights: [Int]?
    /// Number of frames in the sequence, read or not; nil in files of older versions.
    package var length: Int?

    package var validationError: String? {
        for word in [truth, prediction].compactMap({ $0 }) where JerseyNumber(word) == nil {
            return "'\(word.prefix(20))', which is not a number"
        }
        let parts: [(values: [Double]?, name: String, count: Int)] = [
            ([confidence], "confidence", 1), (tens, "tens", 11), (ones, "ones", 10),
            (full, "full", JerseyNumber.all.count),
            (attention, "attention", frames.count),
        ]
        for part in parts {
            guard let values = part.values else { continue }
            if values.count != part.count {
                return "\(values.count) values in \(part.name) instead of \(part.count)"
            }
            // Values are rounded and can slightly exceed 1.
            if let problem = validationError(of: values, "in \(part.name) the value", in: 0...1.001) {
                return problem
            }
        }
        return (heights ?? []).lazy.compactMap { validationError(of: $0, "the height", in: 0...Limits.count) }
            .first
            ?? validationError(of: length ?? 0, "length", in: 0...Limits.count)
    }

    package init(_ reading: Reading) {
        sequence = reading.sequence.id
        track = reading.sequence.track
        truth = reading.sequence.number?.description
        prediction = reading.number.description
        confidence = reading.digits.confidence
        tens = reading.digits.tens.map(exp)
        ones = reading.digits.ones.map(exp)
        full = reading.full?.map(exp)
        attention = reading.attention
        heights = reading.heights
        length = reading.sequence.frames.count
        frames = reading.used.map { URL(fileURLWithPath: reading.sequence.frames[$0]).lastPathComponent }
    }
}

extension Outcome {
    /// Whether the number is right; false if the truth is unknown.
    package var isRight: Bool { prediction == truth }

    /// Median height in pixels of the frames read; nil if the run did not record heights.
    var medianHeight: Int? { heights.flatMap { $0.isEmpty ? nil : $0.sorted()[$0.count / 2] } }
}
