import Foundation
import Jersey
import Torch

/// A look into finished runs, or into models: a table on the terminal, JSON, pictures.
public struct Analysis: Sendable {
    public let name: String
    public let summary: String
    public let subject: Subject
    let analyze: @Sendable (AnalysisInput) throws -> AnalysisResult

    /// What it looks into.
    public enum Subject: Sendable {
        /// What runs make of sequences, of the test set or another part.
        case readings
        /// How runs were trained.
        case training
        /// Models as they are built.
        case models
    }

    init(
        name: String, summary: String, subject: Subject = .readings,
        analyze: @escaping @Sendable (AnalysisInput) throws -> AnalysisResult
    ) {
        (self.name, self.summary, self.subject, self.analyze) = (name, summary, subject, analyze)
    }

    public var needsRuns: Bool { subject != .models }

    /// All there are. `jersey analyze`, the report and the tests read this list.
    public static let all: [Analysis] = [
        .confusion, .mistakes, .failures, .sequence, .backbones, .heads, .calibration, .curves, .labels,
    ]

    /// - Throws: `UsageError` with close matches.
    public static func named(_ name: String) throws -> Analysis {
        guard let analysis = all.first(where: { $0.name == name }) else {
            throw UsageError.unknown(
                "analysis", name, among: all.map(\.name), advice: "there are: \(all.map(\.name).joined(separator: ", "))")
        }
        return analysis
    }

    /// - Throws: `UsageError` or `FileError` when there is not what it needs.
    public func callAsFunction(_ input: AnalysisInput) throws -> AnalysisResult {
        guard !needsRuns || !input.groups.isEmpty else {
            throw UsageError("\(name) looks into runs; name run folders, or an experiment's folder")
        }
        guard subject == .readings || input.part == .test else {
            throw UsageError("\(name) looks into no sequences; leave out --split")
        }
        guard subject == .models || input.measuresTimes else {
            throw UsageError("\(name) measures no times; leave out --no-times")
        }
        return try analyze(input)
    }
}

/// What an analysis looks into, and how.
public struct AnalysisInput: Sendable {
    /// Best by validation first, or as they were named.
    public var groups: [RunGroup]
    /// Where the frames are, if not where the runs found them.
    public var data: String?
    /// Examples to show.
    public var count = 10
    /// What samples are drawn with.
    public var seed: UInt64 = 1
    /// The sequence to look into: its id, the path of its folder, or the folder's name where no other has it.
    public var sequence: String?
    /// The part of the split whose sequences are looked into; nil for all sequences. The test set's readings are kept in the run
    /// folder, others are read anew with the run's best weights.
    public var part: Splits.Part? = .test
    /// Whether costs are also measured in time, which takes a minute or more.
    public var measuresTimes = true
    /// Called with what takes long.
    public var progress: @Sendable (String) -> Void = { _ in }
    /// Readings that a time is the median of, where an analysis should not decide by itself.
    var rounds: Int?

    public init(groups: [RunGroup]) {
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

/// What an analysis found.
public struct AnalysisResult: Sendable {
    public struct File: Sendable {
        public enum Content: Sendable {
            case data(Data)
            /// Written as PNG; the caption says what there is to see.
            case picture(RGBImage, caption: String)
            /// A file to be copied.
            case copy(of: URL)
        }

        /// Relative to the output folder.
        public let path: String
        public let content: Content

        init(_ path: String, _ data: Data) { (self.path, content) = (path, .data(data)) }
        init(_ path: String, copyOf url: URL) { (self.path, content) = (path, .copy(of: url)) }

        init(_ path: String, _ picture: RGBImage, caption: String) {
            (self.path, content) = (path, .picture(picture, caption: caption))
        }
    }

    public var tables: [Table]
    /// Sentences below the tables.
    public var notes: [String] = []
    /// Written as `<analysis>.json`.
    public var json: any Encodable & Sendable
    public var charts: [Chart] = []
    /// Pictures, frames and other files.
    public var files: [File] = []

    /// Writes all into a folder, which is made where it is missing.
    ///
    /// - Throws: `FileError` that names the file.
    public func write(to folder: URL, name: String) throws {
        try FileManager.default.makeFolder(folder)
        try AtomicFile.write(JSON.readable(json, snakeCase: true), to: folder.appendingPathComponent("\(name).json"))
        for chart in charts { try chart.write(to: folder) }
        for file in files {
            let url = folder.appendingPathComponent(file.path)
            try FileManager.default.makeFolder(url.deletingLastPathComponent())
            switch file.content {
            case .data(let data):
                try AtomicFile.write(data, to: url)
            case .picture(let image, _):
                try AtomicFile.write(image.pngData(), to: url)
            case .copy(let source):
                do {
                    try AtomicFile.write(Data(wholeFile: source.path), to: url)
                } catch let error as FileError {
                    throw error
                } catch {
                    throw FileError(source.path, doing: "copy the frame", error: error)
                }
            }
        }
    }
}
