import Foundation
import Jersey
import Torch

/// A look into finished runs, or into models: a table on the terminal, JSON, pictures.
public struct Analysis: Sendable {
    public let name: String
    public let summary: String
    /// Whether it looks into runs; the others look into models.
    public let needsRuns: Bool
    let analyze: @Sendable (AnalysisInput) throws -> AnalysisResult

    init(
        name: String, summary: String, needsRuns: Bool = true,
        analyze: @escaping @Sendable (AnalysisInput) throws -> AnalysisResult
    ) {
        (self.name, self.summary, self.needsRuns, self.analyze) = (name, summary, needsRuns, analyze)
    }

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
    /// The sequence to look into.
    public var sequence: String?
    /// Readings that a time is the median of, where an analysis should not decide by itself.
    var rounds: Int?

    public init(groups: [RunGroup]) {
        self.groups = groups
    }

    /// The first group's run that validation would choose.
    var run: FinishedRun { groups[0].best }

    /// Shared by copies of this input, so that several analyses look through a data set once.
    private let datasets = RunDatasets()

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
                    try AtomicFile.write(Data(contentsOf: source), to: url)
                } catch let error as FileError {
                    throw error
                } catch {
                    throw FileError(source.path, doing: "copy the frame", error: error)
                }
            }
        }
    }
}
