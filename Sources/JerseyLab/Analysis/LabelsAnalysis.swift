import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    /// Labels that all models contradict. After Northcutt et al. 2021 (confident learning), but by whole tracks, which have one label,
    /// and with the beliefs of several runs combined. Test tracks, where nothing else is asked for: a model believes the labels that it
    /// was trained on.
    static let labels = Analysis(
        name: "labels", summary: "Test tracks whose label is likely wrong, most suspicious first.", LabelsResult.self)
}

/// Tracks that the runs together read otherwise than labelled.
struct LabelsResult: AnalysisResult {
    /// Most suspicious first.
    let suspects: [LabelSuspect]
    /// Labelled tracks.
    let tracks: Int
    let runs: Int

    init(_ input: AnalysisInput) throws {
        let runs = try input.groups.flatMap(\.runs).map(input.readings)
        suspects = LabelSuspect.ranked(runs)
        tracks = Set(runs.flatMap { $0.labelled.map(\.outcome.track) }).count
        self.runs = runs.count
    }

    func encode(to encoder: any Encoder) throws { try suspects.encode(to: encoder) }
}

/// A track that is read otherwise than labelled.
struct LabelSuspect: Encodable, Sendable {
    let track: String
    let label: String
    let suggestion: String
    /// How probable suggestion and label are: geometric means over sequences and runs, normalised, 0...1.
    let probability: Double
    let labelProbability: Double
    /// Runs that read the suggestion by themselves.
    let agreeing: Int
    let runs: Int
    /// Test sequences of the track.
    let sequences: Int

    /// Most suspicious first: by the margin between suggestion and label.
    static func ranked(_ runs: [FinishedRun]) -> [LabelSuspect] {
        let rows = runs.map { Dictionary(grouping: $0.labelled, by: \.outcome.track) }
        let tracks = Set(rows.flatMap(\.keys))
        let found = tracks.compactMap { track -> LabelSuspect? in
            let looks = rows.compactMap { $0[track] }
            guard let label = looks.first?.first?.truth else { return nil }
            let digits = DigitDistribution(averaging: looks.joined().map(\.digits))
            guard digits.number != label else { return nil }
            return LabelSuspect(
                track: track, label: label.description, suggestion: digits.number.description,
                probability: digits.probability(of: digits.number), labelProbability: digits.probability(of: label),
                agreeing: looks.count { DigitDistribution(summing: $0.map(\.digits)).number == digits.number }, runs: looks.count,
                sequences: looks.map(\.count).max() ?? 0)
        }
        func margin(_ suspect: LabelSuspect) -> Double { log(suspect.probability) - log(max(suspect.labelProbability, 1e-300)) }
        return found.sorted { (margin($1), $0.track) < (margin($0), $1.track) }
    }
}

extension LabelledOutcome {
    var digits: DigitDistribution { DigitDistribution(probabilities: outcome.tens, outcome.ones) }
}

extension DigitDistribution {
    /// Mean log-probabilities, normalised: looks that are not independent, as those of several runs at one sequence.
    ///
    /// - Parameter looks: at least one.
    init(averaging looks: [DigitDistribution]) {
        self = DigitDistribution(summing: looks).scaled(by: 1 / Double(looks.count))
    }
}

// MARK: - View

extension LabelsResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        let shown = suspects.prefix(input.count)
        let more = suspects.count - shown.count
        return AnalysisView(
            of: self, tables: [table(shown, of: input.part)],
            notes: more > 0 ? ["\(more) more; --count shows them."] : [],
            files: shown.isEmpty ? [] : try pictures(shown, input))
    }

    private func table(_ shown: ArraySlice<LabelSuspect>, of part: Splits.Part?) -> Table {
        Table(
            ["", "track", "label", "rather", "probability", "of the label", "runs that say so", "sequences"],
            rows: shown.enumerated().map { index, suspect in
                [
                    "\(index + 1)", suspect.track, suspect.label, suspect.suggestion,
                    Format.percent(suspect.probability, places: 1), Format.percent(suspect.labelProbability, digits: 2),
                    "\(suspect.agreeing) of \(suspect.runs)", "\(suspect.sequences)",
                ]
            },
            title:
                "\(suspects.count) of \(tracks) \(part.map { "\($0.title) " } ?? "")tracks are read otherwise than labelled, by the runs together",
            note:
                "Beliefs of \(runs) runs combined over each track's sequences. A misread track looks the same as a "
                + "mislabelled one: look at the pictures."
                + (part == .test ? "" : " A model believes the labels that it was trained on."))
    }

    /// A sheet of each suspect's first sequences, as the first run has read them.
    private func pictures(_ shown: ArraySlice<LabelSuspect>, _ input: AnalysisInput) throws -> [AnalysisView.File] {
        let run = try input.run
        let frames = try input.frames(of: run)
        let rows = Dictionary(grouping: run.labelled, by: \.outcome.track)
        return try shown.enumerated().compactMap { index, suspect in
            guard let sequences = rows[suspect.track] else { return nil }
            let sheet = ContactSheet(
                rows: try sequences.prefix(8).map { row in
                    ContactSheet.Row(
                        title: row.prediction.description, subtitle: "labelled \(row.truth)  \(row.outcome.sequence)",
                        frames: try frames.pictures(of: row.outcome))
                })
            return .init(
                "suspect_\(Format.padded(index + 1, digits: 2)).png", try sheet.image(),
                caption: "\(suspect.track): labelled \(suspect.label), rather \(suspect.suggestion)")
        }
    }
}
