import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    /// Finds labels that all models contradict, after Northcutt et al. 2021 (confident learning).
    /// It judges whole tracks, because a track has one label, and combines the probabilities of
    /// several runs. It examines test tracks by default, because a model agrees with the labels
    /// that it was trained on.
    static let labels = Analysis(
        name: "labels", summary: "Lists test tracks whose label is probably wrong, most suspicious first.",
        LabelsResult.self)
}

/// Tracks whose combined reading differs from their label.
struct LabelsResult: AnalysisResult {
    /// Most suspicious first.
    let suspects: [LabelSuspect]
    /// Number of labelled tracks.
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

/// A track whose reading differs from its label.
struct LabelSuspect: Encodable, Sendable {
    let track: String
    let label: String
    let suggestion: String
    /// Probability of the suggestion, 0...1: the normalised geometric mean over sequences and runs.
    /// `labelProbability` is the same for the label.
    let probability: Double
    let labelProbability: Double
    /// Runs whose own reading is the suggestion.
    let agreeing: Int
    let runs: Int
    /// Sequences of the track.
    let sequences: Int

    /// Suspects by the margin between suggestion and label, largest first.
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
                probability: digits.probability(of: digits.number),
                labelProbability: digits.probability(of: label),
                agreeing: looks.count {
                    DigitDistribution(summing: $0.map(\.digits)).number == digits.number
                }, runs: looks.count,
                sequences: looks.map(\.count).max() ?? 0)
        }
        func margin(_ suspect: LabelSuspect) -> Double {
            log(suspect.probability) - log(max(suspect.labelProbability, 1e-300))
        }
        return found.sorted { (margin($1), $0.track) < (margin($0), $1.track) }
    }
}

extension LabelledOutcome {
    var digits: DigitDistribution { DigitDistribution(probabilities: outcome.tens, outcome.ones) }
}

extension DigitDistribution {
    /// Averages log-probabilities and normalises them. Use it for readings that are not
    /// independent, such as those of one sequence by several runs.
    ///
    /// - Parameter looks: must not be empty.
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
            notes: more > 0 ? ["\(more) more; to show them, raise --count."] : [],
            files: shown.isEmpty ? [] : try pictures(shown, input))
    }

    private func table(_ shown: ArraySlice<LabelSuspect>, of part: Splits.Part?) -> Table {
        Table(
            [
                "", "track", "label", "suggestion", "probability", "of the label", "agreeing runs",
                "sequences",
            ],
            rows: shown.enumerated().map { index, suspect in
                [
                    "\(index + 1)", suspect.track, suspect.label, suspect.suggestion,
                    Format.percent(suspect.probability, places: 1),
                    Format.percent(suspect.labelProbability, digits: 2),
                    "\(suspect.agreeing) of \(suspect.runs)", "\(suspect.sequences)",
                ]
            },
            title:
                "\(suspects.count) of \(tracks) \(part.map { "\($0.title) " } ?? "")tracks read differently from their label",
            note:
                "Probabilities of \(runs) runs, combined over each track's sequences. Check the pictures: a misread track "
                + "looks the same as a mislabelled one."
                + (part == .test ? "" : " A model agrees with the labels that it was trained on."))
    }

    /// A contact sheet of each suspect's first sequences, with the first run's readings.
    private func pictures(_ shown: ArraySlice<LabelSuspect>, _ input: AnalysisInput) throws -> [AnalysisView
        .File]
    {
        let run = try input.run
        let frames = try input.frames(of: run)
        let rows = Dictionary(grouping: run.labelled, by: \.outcome.track)
        return try shown.enumerated().compactMap { index, suspect in
            guard let sequences = rows[suspect.track] else { return nil }
            let sheet = ContactSheet(
                rows: try sequences.prefix(8).map { row in
                    ContactSheet.Row(
                        title: row.prediction.description,
                        subtitle: "labelled \(row.truth)  \(row.outcome.sequence)",
                        frames: try frames.pictures(of: row.outcome))
                })
            return .init(
                "suspect_\(Format.padded(index + 1, digits: 2)).png", try sheet.image(),
                caption: "\(suspect.track): labelled \(suspect.label), suggested \(suspect.suggestion)")
        }
    }
}
