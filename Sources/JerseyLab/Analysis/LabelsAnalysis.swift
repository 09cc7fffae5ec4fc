import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    /// Labels that all models contradict. After Northcutt et al. 2021 (confident learning), but by whole tracks, which have one label,
    /// and with the beliefs of several runs combined. Test tracks, where nothing else is asked for: a model believes the labels that it
    /// was trained on.
    static let labels = Analysis(
        name: "labels", summary: "Test tracks whose label is likely wrong, most suspicious first."
    ) { input in
        let runs = try input.groups.flatMap(\.runs).map(input.readings)
        let suspects = LabelSuspect.ranked(runs)
        let shown = suspects.prefix(input.count)
        let names = Set(shown.map(\.track))
        var files: [AnalysisResult.File] = []
        if !shown.isEmpty {
            let run = try input.run
            let frames = try input.frames(of: run)
            let rows = Dictionary(grouping: run.labelled.filter { names.contains($0.outcome.track) }, by: \.outcome.track)
            for (index, suspect) in shown.enumerated() {
                let sequences = (rows[suspect.track] ?? []).prefix(8)
                guard !sequences.isEmpty else { continue }
                let sheet = ContactSheet(
                    rows: try sequences.map { row in
                        ContactSheet.Row(
                            title: row.prediction.description,
                            subtitle: "labelled \(row.truth)  \(row.outcome.sequence)",
                            frames: try frames.pictures(of: row.outcome))
                    })
                let caption = "\(suspect.track): labelled \(suspect.label), rather \(suspect.suggestion)"
                let name = "suspect_\(Format.padded(index + 1, digits: 2)).png"
                files.append(.init(name, try sheet.image(), caption: caption))
            }
        }
        let tracks = Set(runs.flatMap { $0.labelled.map(\.outcome.track) }).count
        return AnalysisResult(
            tables: [
                Table(
                    ["", "track", "label", "rather", "probability", "of the label", "runs that say so", "sequences"],
                    rows: shown.enumerated().map { index, suspect in
                        [
                            "\(index + 1)", suspect.track, suspect.label, suspect.suggestion,
                            Format.percent(suspect.probability, places: 1),
                            Format.percent(suspect.labelProbability, digits: 2), "\(suspect.agreeing) of \(suspect.runs)",
                            "\(suspect.sequences)",
                        ]
                    },
                    title:
                        "\(suspects.count) of \(tracks) \(input.part.map { "\($0.title) " } ?? "")tracks are read otherwise than labelled, by the runs together",
                    note:
                        "Beliefs of \(runs.count) runs combined over each track's sequences. A misread track looks the same as a "
                        + "mislabelled one: look at the pictures."
                        + (input.part == .test ? "" : " A model believes the labels that it was trained on."))
            ],
            notes: suspects.count > shown.count ? ["\(suspects.count - shown.count) more; --count shows them."] : [],
            json: suspects, files: files)
    }
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
