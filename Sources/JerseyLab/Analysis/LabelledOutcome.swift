import Foundation
import Jersey
import Torch

/// A test sequence whose number is known, and what a run read in it.
struct LabelledOutcome: Sendable {
    let outcome: Outcome
    let truth: JerseyNumber
    let prediction: JerseyNumber

    init?(_ outcome: Outcome) {
        guard let truth = outcome.truth.flatMap(JerseyNumber.init), let prediction = JerseyNumber(outcome.prediction) else {
            return nil
        }
        (self.outcome, self.truth, self.prediction) = (outcome, truth, prediction)
    }

    var isRight: Bool { truth == prediction }

    /// 0...1.
    func probability(of number: JerseyNumber) -> Double { outcome.tens[number.tens] * outcome.ones[number.ones] }
}

extension FinishedRun {
    /// Test sequences with a label.
    var labelled: [LabelledOutcome] { outcomes.compactMap(LabelledOutcome.init) }
}

extension RunGroup {
    /// The name as a part of a file's.
    var fileName: String { String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }) }
}

/// The frames that a run has read, from where its data are.
struct RunFrames {
    private let run: FinishedRun
    private let sequences: [String: FrameSequence]

    /// - Parameter data: the data set's folder, if it is not where the run found it.
    /// - Throws: `FileError` when the data are gone, or are others.
    init(_ run: FinishedRun, data: String?) throws {
        self.run = run
        var config = run.config.data
        config.path = data ?? config.path
        guard FileManager.default.fileExists(atPath: config.path) else {
            throw FileError(
                config.path, "is where run \(run.id) found its data, and does not exist", advice: "name the data set with --data")
        }
        let dataset = try Dataset(config, published: run.config.published)
        sequences = Dictionary(dataset.sequences.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
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
