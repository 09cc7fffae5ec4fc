import Jersey

/// An analysis of finished runs or of models. It yields tables, JSON and pictures.
package struct Analysis: Sendable, Catalogued {
    package static let kind = "analysis"

    package let name: String
    package let summary: String
    package let subject: Subject
    private let result: any AnalysisResult.Type

    /// What an analysis examines.
    package enum Subject: Sendable {
        /// How runs read sequences of the test set or another part.
        case readings
        /// How runs were trained.
        case training
        /// Model definitions; no runs are needed.
        case models
    }

    init(name: String, summary: String, subject: Subject = .readings, _ result: any AnalysisResult.Type) {
        self.name = name
        self.summary = summary
        self.subject = subject
        self.result = result
    }

    package var needsRuns: Bool { subject != .models }

    /// All analyses. `jersey analyze`, the report and the tests read this list.
    package static let all: [Analysis] = [
        .confusion, .mistakes, .failures, .sequence, .backbones, .heads, .calibration, .curves, .labels,
    ]

    /// Computes the result and renders it.
    ///
    /// - Throws: `UsageError` or `FileError` if the input lacks what the analysis needs.
    package func callAsFunction(_ input: AnalysisInput) throws -> AnalysisView {
        guard !needsRuns || !input.groups.isEmpty else {
            throw UsageError("\(name) analyzes runs; name run folders or an experiment folder")
        }
        guard subject == .readings || input.part == .test else {
            throw UsageError("\(name) reads no sequences; leave out --split")
        }
        guard subject == .models || input.measuresTimes else {
            throw UsageError("\(name) measures no times; leave out --no-times")
        }
        return try result.init(input).view(input)
    }
}
