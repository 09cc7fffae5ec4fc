import Foundation
import Jersey

/// A finished run, loaded from its folder. Analyses and reports are built from it.
package struct FinishedRun: Sendable {
    package let folder: RunFolder
    package let config: RunConfig
    package let result: RunResult
    /// One row per epoch.
    package let metrics: [EpochMetrics]
    /// One row per test sequence.
    package private(set) var outcomes: [Outcome]

    /// The folder's name.
    package var id: String { folder.url.lastPathComponent }

    /// The model's display name.
    var title: String { (try? config.spec().title) ?? result.model }

    /// - Throws: `FileError` that names the missing or corrupt file.
    package init(_ folder: RunFolder) throws {
        self.folder = folder
        guard folder.exists(folder.config) else {
            throw FileError(folder.url.path, "is not a run folder: it has no config.json")
        }
        guard folder.exists(folder.result) else {
            throw FileError(folder.url.path, "is not finished", advice: "continue it with --resume")
        }
        config = try RunConfig(overlays: [ConfigOverlay(file: folder.config)])
        result = try Self.value(at: folder.result)
        metrics = try Self.rows(at: folder.metrics)
        outcomes = result.test == nil ? [] : try Self.rows(at: folder.outcomes)
        let labelled = outcomes.count { $0.truth != nil }
        if let test = result.test, test.all.sequences.number.count != labelled {
            throw FileError(
                folder.outcomes.path,
                "has \(labelled) labelled rows, but result.json counts \(test.all.sequences.number.count) test sequences",
                advice: "remove the run folder and train again")
        }
    }

    /// The same run with its readings of other sequences.
    func with(outcomes: [Outcome]) -> FinishedRun {
        var run = self
        run.outcomes = outcomes
        return run
    }

    /// Loads only the result, for scanning many runs.
    package static func result(in folder: RunFolder) throws -> RunResult { try value(at: folder.result) }

    /// A recognizer with the run's best weights that reads as the run's test did.
    ///
    /// - Throws: `FileError` if the weights cannot be read.
    func recognizer() throws -> Recognizer {
        let checkpoint = try Checkpoint(contentsOf: folder.best)
        var options = Recognizer.Options()
        options.device = .cpu
        options.isEager = true
        options.isCalibrated = false
        return try Recognizer(
            checkpoint, path: folder.best.path, options: options, loader: loader(checkpoint))
    }

    /// A loader that prepares frames as the run's test did.
    ///
    /// - Parameter checkpoint: the run's best weights.
    /// - Throws: `FileError` if the finder in it is broken.
    func loader(_ checkpoint: Checkpoint) throws -> SequenceLoader {
        let finder =
            config.data.wholePlayers == .number
            ? NumberFinder(try checkpoint.finderNetwork(path: folder.best.path)) : nil
        return SequenceLoader(config, spec: checkpoint.card.spec, training: false, finder: finder)
    }

    static func rows<Row: Decodable>(at url: URL) throws -> [Row] {
        let lines = try Data(reading: url).split(separator: UInt8(ascii: "\n"))
        return try lines.enumerated().map { index, line in
            try decoded(line, url, place: "line \(index + 1): ")
        }
    }

    private static func value<Value: Decodable>(at url: URL) throws -> Value {
        try decoded(Data(reading: url), url)
    }

    private static func decoded<Value: Decodable>(_ data: Data, _ url: URL, place: String = "") throws
        -> Value
    {
        do {
            return try JSON.decoded(from: data)
        } catch {
            let reason = (error as? DecodingError)?.summary ?? "\(error)"
            throw FileError(
                url.path, "cannot be parsed (\(place)\(reason))",
                advice: "remove the run folder and train again")
        }
    }
}

extension FinishedRun {
    /// Outcomes of labelled sequences.
    var labelled: [LabelledOutcome] { outcomes.compactMap(LabelledOutcome.init) }

    /// Accuracy on labelled sequences, 0...1; nil if there are none.
    var accuracy: Double? {
        let labelled = labelled
        return Proportion(labelled.count(where: \.isRight), of: labelled.count).value
    }
}
