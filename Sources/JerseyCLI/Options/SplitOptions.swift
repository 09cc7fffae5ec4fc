import ArgumentParser
import Foundation
import Jersey
import JerseyLab

/// Which part of a data set to read.
struct SplitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Part to read: \(Splits.Part.allCases.map(\.rawValue).joined(separator: ", ")), or all (default: test; all for the bundled \
            model, which was not trained on any of it).
            """, valueName: "name"))
    var split: String?

    @Option(help: ArgumentHelp("Splits file (default: splits.json beside the weights).", valueName: "file"))
    var splits: String?

    /// - Parameter weights: the model's file; nil for the bundled one.
    func part(for weights: String?) -> String {
        split ?? (weights == nil && splits == nil ? Self.all : Splits.Part.test.rawValue)
    }

    private static let all = "all"

    /// The part called `name`; nil for all parts.
    ///
    /// - Throws: `UsageError` with close matches.
    static func part(_ name: String) throws -> Splits.Part? {
        if name == all { return nil }
        guard let part = Splits.Part(rawValue: name) else {
            throw UsageError.unknown("split", name, among: Splits.Part.allCases.map(\.rawValue) + [all])
        }
        return part
    }

    /// The sequences of the selected part.
    ///
    /// - Parameters:
    ///   - config: the data set's.
    ///   - card: the card of the model that reads them.
    ///   - weights: the model's file; splits.json may lie beside it.
    /// - Throws: `UsageError` or `FileError` if there are no splits, or they belong to other data.
    func sequences(_ config: DataConfig, for card: Checkpoint.Card, weights: String?) throws
        -> [FrameSequence]
    {
        var config = config
        config.input = card.input
        let dataset = try Dataset(config)
        let split = part(for: weights)
        guard let part = try Self.part(split) else { return dataset.sequences }
        let beside = weights.map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().appending(path: "splits.json")
        }
        guard let url = splits.map({ URL(fileURLWithPath: $0) }) ?? beside,
            splits != nil || FileNames.exists(url.path)
        else {
            throw UsageError(
                "there is no splits.json beside the weights; name one with --splits, or use --split all")
        }
        let splits = try Splits(contentsOf: url)
        config.groupPattern = splits.origin?.groupPattern
        config.splitSeed = splits.origin?.seed ?? config.splitSeed
        config.ratios = splits.origin?.ratios ?? config.ratios
        config.heldOutShare = splits.origin?.heldOutShare ?? 0
        do {
            try splits.check(against: dataset, config, path: url.path)
        } catch let error as FileError {
            throw FileError(
                error.path, error.reason,
                advice: "for other data, use --split all or name its splits with --splits")
        }
        let sequences = splits.sequences(part, of: dataset)
        guard !sequences.isEmpty else {
            throw FileError(
                url.path, "leaves no sequences in '\(split)'", advice: "use --split all to read them all")
        }
        return sequences
    }
}
