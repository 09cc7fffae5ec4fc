import Foundation
import Jersey
import JerseyOutput

/// The frames that a run has read, from where its data are.
struct RunFrames {
    private let run: FinishedRun
    /// In data set order.
    let all: [FrameSequence]
    private let sequences: [String: FrameSequence]

    /// - Parameter data: the data set's folder, if it is not where the run found it.
    /// - Throws: `FileError` when the data are gone, or are others.
    init(_ run: FinishedRun, data: String?, in datasets: RunDatasets = RunDatasets()) throws {
        self.run = run
        var config = run.config.data
        config.path = data ?? config.path
        guard FileManager.default.fileExists(atPath: config.path) else {
            throw FileError(
                config.path, "is where run \(run.id) found its data, and does not exist", advice: "name the data set with --data")
        }
        (all, sequences) = try datasets.sequences(config)
    }

    /// The sequence of that id, or in that folder: a sequence's or a track's, by its path, or by as much of it as no other has.
    ///
    /// - Throws: `UsageError` with close matches.
    func sequence(named word: String) throws -> FrameSequence {
        if let exact = sequences[word] { return exact }
        let path = URL(fileURLWithPath: word).standardizedFileURL.path
        let part = "/" + word.split(separator: "/").joined(separator: "/") + "/"
        let ways: [(FrameSequence) -> Bool] = [
            { path.hasSuffix("/\($0.id)") }, { path.hasSuffix("/\($0.track)") }, { "/\($0.id)/".contains(part) },
        ]
        let found = ways.lazy.map { all.filter($0) }.first { !$0.isEmpty } ?? []
        if found.count == 1 { return found[0] }
        guard found.isEmpty else {
            let more = found.count > 3 ? " and \(found.count - 3) more" : ""
            throw UsageError(
                "'\(word)' names several sequences: \(found.prefix(3).map(\.id).joined(separator: ", "))\(more); name one by its id"
            )
        }
        // What is written as a name is compared with names.
        let names = word.contains("/") ? [] : Set(all.flatMap { $0.id.split(separator: "/").map(String.init) })
        throw UsageError.unknown(
            "sequence", word, among: all.map(\.id) + Set(all.map(\.track)).sorted() + names.sorted(),
            advice: "its folder's path will do, or its id in outcomes.jsonl of run \(run.id); --data names another data set")
    }

    /// - Throws: `FileError` when the data do not have it.
    func sequence(_ id: String) throws -> FrameSequence {
        guard let sequence = sequences[id] else {
            throw FileError(
                id, "is no sequence of the data that run \(run.id) was made with", advice: "name the data set with --data")
        }
        return sequence
    }

    /// Paths of the frames that were read.
    func paths(of outcome: Outcome) throws -> [String] {
        let sequence = try sequence(outcome.sequence)
        let paths = Dictionary(
            sequence.frames.map { (URL(fileURLWithPath: $0).lastPathComponent, $0) }, uniquingKeysWith: { first, _ in first })
        return try outcome.frames.map { name in
            guard let path = paths[name] else {
                throw FileError(outcome.sequence, "has no frame \(name) any more", advice: "name the data set with --data")
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
