import Foundation
import Jersey

/// A model's accuracy on labelled sequences.
///
/// As JSON:
/// `{"sequences": {"count", "number_accuracy", "tens_accuracy", "ones_accuracy", "interval"},
/// "tracks": {"count", "number_accuracy", "interval"}, "seen": {"sequences", "tracks"},
/// "unseen": {…}, "loss", "unreadable_files", "unreadable_sequences", "precision"}`.
/// Shares are 0...1, or null if there is nothing to count. Sequences also have "full_accuracy" if
/// the model has a head for the full number.
package struct Evaluation: Encodable, Sendable {
    package struct Sequences: Encodable, Sendable, Equatable {
        package let number: Proportion
        package let tens: Proportion
        package let ones: Proportion
        /// Accuracy of the full-number head; nil if the model has none.
        package let full: Proportion?
    }

    package struct Tracks: Encodable, Sendable, Equatable {
        package let number: Proportion
    }

    /// Accuracies on a group of numbers.
    package struct Group: Encodable, Sendable, Equatable {
        package let sequences: Sequences
        /// Log-probabilities summed over a track's sequences.
        package let tracks: Tracks
    }

    package let all: Group
    /// Accuracy on numbers that occur in training. `unseen` covers the others. Both are nil if the
    /// weights do not record them.
    package let seen: Group?
    package let unseen: Group?
    /// Mean of the weighted sum of the heads' cross-entropies.
    package let loss: Double
    package let unreadableFiles: Int
    package let unreadableSequences: Int
    /// The encoder's precision; nil if nothing was read, or in files of older versions.
    package let precision: Precision?

    /// - Parameters:
    ///   - seenNumbers: numbers that occur in training; nil if unknown.
    ///   - weights: loss weights of tens, ones and full number.
    package init(
        _ readings: [Reading], unreadable: [UnreadableSequence] = [], seenNumbers: Set<JerseyNumber>?,
        weights: (tens: Double, ones: Double, full: Double) = (1, 1, 0)
    ) {
        let labelled = readings.filter { $0.sequence.number != nil }
        all = Self.group(labelled)
        seen = seenNumbers.map { numbers in
            Self.group(labelled.filter { numbers.contains($0.sequence.number!) })
        }
        unseen = seenNumbers.map { numbers in
            Self.group(labelled.filter { !numbers.contains($0.sequence.number!) })
        }
        let losses = labelled.map { reading in
            let number = reading.sequence.number!
            let digits =
                -weights.tens * reading.digits.tens[number.tens] - weights.ones
                * reading.digits.ones[number.ones]
            return reading.full.map { digits - weights.full * $0[number.index] } ?? digits
        }
        loss = losses.reduce(0, +) / Double(max(losses.count, 1))
        unreadableFiles = (readings.flatMap(\.problems) + unreadable.flatMap(\.problems)).count
        unreadableSequences = unreadable.count
        precision = readings.first?.precision
    }

    private static func group(_ readings: [Reading]) -> Group {
        func count(_ isRight: (Reading, JerseyNumber) -> Bool) -> Proportion {
            Proportion(readings.count { isRight($0, $0.sequence.number!) }, of: readings.count)
        }
        let tracks = Dictionary(grouping: readings, by: \.sequence.track).values
        let rightTracks = tracks.count {
            DigitDistribution(summing: $0.map(\.digits)).number == $0[0].sequence.number
        }
        return Group(
            sequences: Sequences(
                number: count { $0.number == $1 }, tens: count { $0.number.tens == $1.tens },
                ones: count { $0.number.ones == $1.ones },
                full: readings.contains { $0.full != nil } ? count { $0.fullNumber == $1 } : nil),
            tracks: Tracks(number: Proportion(rightTracks, of: tracks.count)))
    }
}

// MARK: - JSON

extension Evaluation {
    private enum CodingKeys: String, CodingKey {
        case sequences, tracks, seen, unseen, loss, precision
        case unreadableFiles = "unreadable_files"
        case unreadableSequences = "unreadable_sequences"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(all.sequences, forKey: .sequences)
        try container.encode(all.tracks, forKey: .tracks)
        try container.encode(seen, forKey: .seen)
        try container.encode(unseen, forKey: .unseen)
        try container.encode(loss, forKey: .loss)
        try container.encode(unreadableFiles, forKey: .unreadableFiles)
        try container.encode(unreadableSequences, forKey: .unreadableSequences)
        try container.encodeIfPresent(precision, forKey: .precision)
    }
}

private enum AccuracyKey: String, CodingKey {
    case count, interval
    case number = "number_accuracy"
    case tens = "tens_accuracy"
    case ones = "ones_accuracy"
    case full = "full_accuracy"
}

extension Evaluation.Sequences {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AccuracyKey.self)
        try container.encode(number.count, forKey: .count)
        try container.encode(number.value, forKey: .number)
        try container.encode(tens.value, forKey: .tens)
        try container.encode(ones.value, forKey: .ones)
        try container.encodeIfPresent(full?.value, forKey: .full)
        try container.encode(number.interval, forKey: .interval)
    }
}

extension Evaluation.Tracks {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AccuracyKey.self)
        try container.encode(number.count, forKey: .count)
        try container.encode(number.value, forKey: .number)
        try container.encode(number.interval, forKey: .interval)
    }
}
