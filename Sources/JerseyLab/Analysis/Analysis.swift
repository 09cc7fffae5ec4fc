import Jersey

/// A look into finished runs, or into models: a table on the terminal, JSON, pictures.
package struct Analysis: Sendable, Catalogued {
    package static let kind = "analysis"

    package let name: String
    package let summary: String
    package let subject: Subject
    private let result: any AnalysisResult.Type

    /// What it looks into.
    package enum Subject: Sendable {
        /// What runs make of sequences, of the test set or another part.
        case readings
        /// How runs were trained.
        case training
        /// Models as they are built.
        case models
    }

    init(name: String, summary: String, subject: Subject = .readings, _ result: any AnalysisResult.Type) {
        self.name = name
        self.summary = summary
        self.subject = subject
        self.result = result
    }

    package var needsRuns: Bool { subject != .models }

    /// All there are. `jersey analyze`, the report and the tests read this list.
    package static let all: [Analysis] = [
        .confusion, .mistakes, .failures, .sequence, .backbones, .heads, .calibration, .curves, .labels,
    ]

    /// Computes the result and shows it.
    ///
    /// - Throws: `UsageError` or `FileError` when there is not what it needs.
    package func callAsFunction(_ input: AnalysisInput) throws -> AnalysisView {
        guard !needsRuns || !input.groups.isEmpty else {
            throw UsageError("\(name) looks into runs; name run folders, or an experiment's folder")
        }
        guard subject == .readings || input.part == .test else {
            throw UsageError("\(name) looks into no sequences; leave out --split")
        }
        guard subject == .models || input.measuresTimes else {
            throw UsageError("\(name) measures no times; leave out --no-times")
        }
        return try result.init(input).view(input)
    }
}
