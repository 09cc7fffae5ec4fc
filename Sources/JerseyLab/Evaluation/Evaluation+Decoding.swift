import Foundation
import Jersey

/// Reads `result.json`. The file holds shares, so counts of right answers are recovered by
/// rounding.
extension Evaluation: Decodable {
    private struct Accuracies: Decodable, Checked {
        let count: Int
        let number: Double?
        let tens: Double?
        let ones: Double?
        let full: Double?

        private enum CodingKeys: String, CodingKey {
            case count
            case number = "number_accuracy"
            case tens = "tens_accuracy"
            case ones = "ones_accuracy"
            case full = "full_accuracy"
        }

        func proportion(_ share: Double?) -> Proportion {
            Proportion(Int(clamping: ((share ?? 0) * Double(count)).rounded()), of: count)
        }

        var validationError: String? {
            validationError(of: count, "count", in: 0...Limits.count)
                ?? validationError(
                    of: [number, tens, ones, full].compactMap { $0 }, "an accuracy", in: 0...1)
        }

        var sequences: Sequences {
            Sequences(
                number: proportion(number), tens: proportion(tens), ones: proportion(ones),
                full: full.map { proportion($0) })
        }
    }

    private struct GroupFile: Decodable {
        let sequences: Accuracies
        let tracks: Accuracies

        var group: Group {
            Group(sequences: sequences.sequences, tracks: Tracks(number: tracks.proportion(tracks.number)))
        }
    }

    private struct File: Decodable, Checked {
        let sequences: Accuracies
        let tracks: Accuracies
        let seen: GroupFile?
        let unseen: GroupFile?
        let loss: Double
        let unreadableFiles: Int
        let unreadableSequences: Int
        let precision: Precision?

        private enum CodingKeys: String, CodingKey {
            case sequences, tracks, seen, unseen, loss, precision
            case unreadableFiles = "unreadable_files"
            case unreadableSequences = "unreadable_sequences"
        }

        var validationError: String? {
            let groups = [seen, unseen].compactMap { $0 }
            return ([sequences, tracks] + groups.flatMap { [$0.sequences, $0.tracks] }).compactMap(
                \.validationError
            ).first
                ?? validationError(of: [loss], "loss", in: Limits.finite)
                ?? validationError(ofCounts: [
                    "unreadable_files": unreadableFiles, "unreadable_sequences": unreadableSequences,
                ])
        }
    }

    package init(from decoder: any Decoder) throws {
        let file = try File(from: decoder)
        // The caller decodes this as a part of a larger value and does not check it.
        try file.check(decoder.codingPath)
        all = GroupFile(sequences: file.sequences, tracks: file.tracks).group
        seen = file.seen?.group
        unseen = file.unseen?.group
        loss = file.loss
        unreadableFiles = file.unreadableFiles
        unreadableSequences = file.unreadableSequences
        precision = file.precision
    }
}
