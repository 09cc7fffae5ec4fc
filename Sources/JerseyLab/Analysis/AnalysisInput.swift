import Foundation
import Jersey

/// The runs, data and options of an analysis.
package struct AnalysisInput: Sendable {
    /// Best by validation first, or in the order in which the user named them.
    package var groups: [RunGroup]
    /// The data set's folder, if it has moved since the runs.
    package var data: String?
    /// Number of examples to show.
    package var count = 10
    /// Seed for drawing samples.
    package var seed: UInt64 = 1
    /// The sequence to examine: its id, its folder's path, or the folder's name if that is unique.
    package var sequence: String?
    /// The part of the split to examine; nil for all sequences. The run folder holds the readings
    /// of the test set. For other parts the run's best weights read the sequences again.
    package var part: Splits.Part? = .test
    /// Whether to time the models, which takes a minute or more.
    package var measuresTimes = true
    /// Called with a message before each long step.
    package var progress: @Sendable (String) -> Void = { _ in }
    /// Repetitions per timing, whose median is reported; nil lets the analysis decide.
    var rounds: Int?

    package init(groups: [RunGroup]) {
        self.groups = groups
    }

    /// The first group's best run by validation, with its readings of the part.
    var run: FinishedRun { get throws { try readings(by: groups[0].best) } }

    /// Shared by copies of this input, so that several analyses scan a data set once.
    private let datasets = RunDatasets()
    private let known = PartReadings()

    /// "test sequences", or the same for another part.
    var sequences: String { part.map { "\($0.title) sequences" } ?? "sequences" }
    /// The part's name in JSON; nil for the test set.
    var split: String? { part == .test ? nil : part?.rawValue ?? "all" }

    /// The run with its readings of the part.
    ///
    /// - Throws: `FileError` if frames, split or weights cannot be read.
    func readings(by run: FinishedRun) throws -> FinishedRun {
        if part == .test { return run }
        return try known.readings(by: run, of: part) {
            let all = try frames(of: run).all
            let splits = try part.map { (try Splits(contentsOf: run.folder.splits))[$0] }
            let chosen = all.filter { splits?.contains($0.track) ?? true }
            guard !chosen.isEmpty else {
                throw FileError(run.folder.splits.path, "matches no \(sequences) of this data set")
            }
            progress("run \(run.id) reads \(chosen.count) \(sequences)")
            return try run.recognizer().reader.readAll(chosen).0.map(Outcome.init)
        }
    }

    /// The frames that a run read.
    ///
    /// - Throws: `FileError` if the data set is missing or differs from the run's.
    func frames(of run: FinishedRun) throws -> RunFrames { try RunFrames(run, data: data, in: datasets) }
}

extension Splits.Part {
    /// "validation".
    var title: String {
        switch self {
        case .train: "training"
        case .val: "validation"
        case .test: "test"
        }
    }
}
