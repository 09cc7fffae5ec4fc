import Foundation
import Jersey
import JerseyOutput

/// The frames that a run read, looked up in its data set.
struct RunFrames {
    private let run: FinishedRun
    /// All sequences in data set order.
    let all: [FrameSequence]
    private let sequences: [String: FrameSequence]

    /// - Parameter data: the data set's folder, if it has moved since the run.
    /// - Throws: `FileError` if the data set is missing or cannot be read.
    init(_ run: FinishedRun, data: String?, in datasets: RunDatasets = RunDatasets()) throws {
        self.run = run
        var config = run.config.data
        config.path = data ?? config.path
        guard FileManager.default.fileExists(atPath: config.path) else {
            throw FileError(
                config.path, "does not exist; run \(run.id) read its data there",
                advice: "name the data set with --data")
        }
        (all, sequences) = try datasets.sequences(config)
    }

    /// The sequence with this id or folder. The folder can be a sequence's or a track's, given by
    /// its path or by a unique part of the path.
    ///
    /// - Throws: `UsageError` with close matches.
    func sequence(named word: String) throws -> FrameSequence {
        if let exact = sequences[word] { return exact }
        let path = URL(fileURLWithPath: word).standardizedFileURL.path
        let part = "/" + word.split(separator: "/").joined(separator: "/") + "/"
        let ways: [(FrameSequence) -> Bool] = [
            { path.hasSuffix("/\($0.id)") }, { path.hasSuffix("/\($0.track)") },
            { "/\($0.id)/".contains(part) },
        ]
        let found = ways.lazy.map { all.filter($0) }.first { !$0.isEmpty } ?? []
        if found.count == 1 { return found[0] }
        guard found.isEmpty else {
            let more = found.count > 3 ? " and \(found.count - 3) more" : ""
            throw UsageError(
                "'\(word)' matches several sequences: \(found.prefix(3).map(\.id).joined(separator: ", "))\(more); name one by its id"
            )
        }
        // A word without slashes is compared with single path components.
        let names =
            word.contains("/") ? [] : Set(all.flatMap { $0.id.split(separator: "/").map(String.init) })
        throw UsageError.unknown(
            "sequence", word, among: all.map(\.id) + Set(all.map(\.track)).sorted() + names.sorted(),
            advice:
                "give its folder's path, or its id in outcomes.jsonl of run \(run.id); to use another data set, give --data"
        )
    }

    /// - Throws: `FileError` if the data set does not have it.
    func sequence(_ id: String) throws -> FrameSequence {
        guard let sequence = sequences[id] else {
            throw FileError(
                id, "is not in the data set of run \(run.id)", advice: "name the data set with --data")
        }
        return sequence
    }

    /// Paths of the frames that were read.
    func paths(of outcome: Outcome) throws -> [String] {
        let sequence = try sequence(outcome.sequence)
        let paths = Dictionary(
            sequence.frames.map { (URL(fileURLWithPath: $0).lastPathComponent, $0) },
            uniquingKeysWith: { first, _ in first })
        return try outcome.frames.map { name in
            guard let path = paths[name] else {
                throw FileError(
                    outcome.sequence, "no longer has frame \(name)", advice: "name the data set with --data")
            }
            return path
        }
    }

    /// The frames that were read, with their weights, for a contact sheet.
    func pictures(of outcome: Outcome) throws -> [ContactSheet.Frame] {
        try paths(of: outcome).enumerated().map { index, path in
            let weight = outcome.attention.map { $0[index] }
            return ContactSheet.Frame(
                image: try RGBImage(contentsOf: URL(fileURLWithPath: path)),
                caption: weight.map { Format.decimal($0, places: 2) },
                weight: weight)
        }
    }
}
