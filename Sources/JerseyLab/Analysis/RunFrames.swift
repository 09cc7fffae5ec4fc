import Foundation
import Jersey
import Synchronization
import Torch

/// The frames that a run has read, from where its data are.
struct RunFrames {
    private let run: FinishedRun
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
        sequences = try datasets.sequences(config, published: run.config.published)
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
                image: try RGBImage(contentsOf: URL(fileURLWithPath: path)), caption: weight.map { String(format: "%.2f", $0) },
                weight: weight)
        }
    }
}

/// The data sets of runs, each looked through once.
final class RunDatasets: Sendable {
    private struct Known {
        let config: DataConfig
        let published: Bool
        let sequences: [String: FrameSequence]
    }

    private let known = Mutex<[Known]>([])

    /// Sequences by their ids.
    ///
    /// - Throws: `FileError` when the data set cannot be read.
    func sequences(_ config: DataConfig, published: Bool) throws -> [String: FrameSequence] {
        try known.withLock { known in
            if let there = known.first(where: { $0.config == config && $0.published == published }) { return there.sequences }
            let sequences = Dictionary(
                try Dataset(config, published: published).sequences.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            known.append(Known(config: config, published: published, sequences: sequences))
            return sequences
        }
    }
}
