import Foundation
import Jersey

/// What an analysis looks into, and how.
package struct AnalysisInput: Sendable {
    /// Best by validation first, or as they were named.
    package var groups: [RunGroup]
    /// Where the frames are, if not where the runs found them.
    package var data: String?
    /// Examples to show.
    package var count = 10
    /// What samples are drawn with.
    package var seed: UInt64 = 1
    /// The sequence to look into: its id, the path of its folder, or the folder's name where no other has it.
    package var sequence: String?
    /// The part of the split whose sequences are looked into; nil for all sequences. The test set's readings are kept in the run
    /// folder, others are read anew with the run's best weights.
    package var part: Splits.Part? = .test
    /// Whether costs are also measured in time, which takes a minute or more.
    package var measuresTimes = true
    /// Called with what takes long.
    package var progress: @Sendable (String) -> Void = { _ in }
    /// Readings that a time is the median of, where an analysis should not decide by itself.
    var rounds: Int?

    package init(groups: [RunGroup]) {
        self.groups = groups
    }

    /// The first group's run that validation would choose, with its readings of the part.
    var run: FinishedRun { get throws { try readings(by: groups[0].best) } }

    /// Shared by copies of this input, so that several analyses look through a data set once.
    private let datasets = RunDatasets()
    private let known = PartReadings()

    /// "test sequences", or of another part.
    var sequences: String { part.map { "\($0.title) sequences" } ?? "sequences" }
    /// What JSON says of the part; nil for the test set.
    var split: String? { part == .test ? nil : part?.rawValue ?? "all" }

    /// A run with what it reads in the part.
    ///
    /// - Throws: `FileError` when frames, split or weights cannot be read.
    func readings(by run: FinishedRun) throws -> FinishedRun {
        if part == .test { return run }
        return try known.readings(by: run, of: part) {
            let all = try frames(of: run).all
            let splits = try part.map { (try Splits(contentsOf: run.folder.splits))[$0] }
            let chosen = all.filter { splits?.contains($0.track) ?? true }
            guard !chosen.isEmpty else { throw FileError(run.folder.splits.path, "leaves no \(sequences) of these data") }
            progress("run \(run.id) reads \(chosen.count) \(sequences)")
            return try run.recognizer().reader.readAll(chosen).0.map(Outcome.init)
        }
    }

    /// The frames that a run has read.
    ///
    /// - Throws: `FileError` when the data are gone, or are others.
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
