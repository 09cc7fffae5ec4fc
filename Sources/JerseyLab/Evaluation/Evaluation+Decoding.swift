import Foundation
import Jersey

/// Reading `result.json` back. Counts of right answers are the shares times the counts, rounded.
extension Evaluation: Decodable {
    private struct Accuracies: Decodable {
        let count: Int
        let number_accuracy: Double?
        let tens_accuracy: Double?
        let ones_accuracy: Double?
        let full_accuracy: Double?

        func proportion(_ share: Double?) -> Proportion {
            Proportion(Int(((share ?? 0) * Double(count)).rounded()), of: count)
        }
        var sequences: Sequences {
            Sequences(
                number: proportion(number_accuracy), tens: proportion(tens_accuracy), ones: proportion(ones_accuracy),
                full: full_accuracy.map { proportion($0) })
        }
    }

    private struct GroupFile: Decodable {
        let sequences: Accuracies
        let tracks: Accuracies

        var group: Group {
            Group(sequences: sequences.sequences, tracks: Tracks(number: tracks.proportion(tracks.number_accuracy)))
        }
    }

    private struct File: Decodable {
        let sequences: Accuracies
        let tracks: Accuracies
        let seen: GroupFile?
        let unseen: GroupFile?
        let loss: Double
        let unreadable_files: Int
        let unreadable_sequences: Int
    }

    public init(from decoder: any Decoder) throws {
        let file = try File(from: decoder)
        all = GroupFile(sequences: file.sequences, tracks: file.tracks).group
        seen = file.seen?.group
        unseen = file.unseen?.group
        loss = file.loss
        unreadableFiles = file.unreadable_files
        unreadableSequences = file.unreadable_sequences
    }
}
