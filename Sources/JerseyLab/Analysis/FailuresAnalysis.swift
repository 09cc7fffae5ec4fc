import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    /// Two models on the same sequences: where both fail, and where only one does.
    static let failures = Analysis(
        name: "failures",
        summary: "Two models against each other: sequences that both misread, or only one of them, with examples."
    ) { input in
        guard input.groups.count >= 2 else {
            throw UsageError("failures compares two models; name two runs, or an experiment with two models (--models a,b)")
        }
        let (first, second) = (try Reader(input.groups[0], input), try Reader(input.groups[1], input))
        let others = Dictionary(second.run.labelled.map { ($0.outcome.sequence, $0) }, uniquingKeysWith: { first, _ in first })
        let pairs = first.run.labelled.compactMap { row in others[row.outcome.sequence].map { (row, $0) } }
        guard !pairs.isEmpty else {
            throw UsageError(
                "\(first.name) and \(second.name) have none of the \(input.sequences) in common; train them with the same split")
        }
        let parts: [(folder: String, title: String, pairs: [Pair])] = [
            ("both_wrong", "both wrong", pairs.filter { !$0.0.isRight && !$0.1.isRight }),
            ("only_\(first.file)_wrong", "only \(first.name) wrong", pairs.filter { !$0.0.isRight && $0.1.isRight }),
            ("only_\(second.file)_wrong", "only \(second.name) wrong", pairs.filter { $0.0.isRight && !$0.1.isRight }),
        ]
        let frames = parts.contains { !$0.pairs.isEmpty } ? try input.frames(of: first.run) : nil
        var random = RandomStream(input.seed)
        var files: [AnalysisResult.File] = []
        var found: [FailuresSummary.Part] = []
        var examples: [[String]] = []
        for part in parts {
            let sample = Array(part.pairs.shuffled(using: &random).prefix(input.count))
            for (a, b) in sample {
                guard let frames else { break }
                let folder = "\(part.folder)/\(a.outcome.sequence.replacing("/", with: "_"))_gt\(a.truth)"
                for path in try frames.sequence(a.outcome.sequence).frames {
                    let url = URL(fileURLWithPath: path)
                    files.append(.init("\(folder)/\(url.lastPathComponent)", copyOf: url))
                }
                files.append(.init("\(folder)/info.txt", Data(info(a, b, first, second).utf8)))
                let sheet = ContactSheet(rows: [
                    .init(a, frames: try frames.pictures(of: a.outcome), by: first.name),
                    .init(b, frames: try frames.pictures(of: b.outcome), by: second.name),
                ])
                files.append(.init("\(folder)/sheet.png", try sheet.image().pngData()))
                examples.append([
                    part.title, a.outcome.sequence, a.truth.description, a.prediction.description, b.prediction.description,
                ])
            }
            found.append(
                .init(name: part.folder, count: part.pairs.count, sequences: part.pairs.map { $0.0.outcome.sequence }))
        }
        let right = pairs.count { $0.0.isRight && $0.1.isRight }
        let p = PairedComparison.mcNemar(parts[1].pairs.count, parts[2].pairs.count)
        let rows =
            [["both right", "\(right)", Format.percent(right, of: pairs.count, places: 2)]]
            + parts.map { part in
                [part.title, "\(part.pairs.count)", Format.percent(part.pairs.count, of: pairs.count, places: 2)]
            }
        return AnalysisResult(
            tables: [
                Table(
                    ["", "sequences", "share"], rows: rows,
                    title: "\(first.name) (run \(first.run.id)) against \(second.name) (run \(second.run.id)), \(input.sequences)"
                ),
                Table(["", "sequence", "truth", first.name, second.name], rows: examples, title: "Examples, drawn at random"),
            ],
            notes: [
                "McNemar's exact test of these two runs: p = \(Format.decimal(p, places: 3)). "
                    + "One run each: `jersey runs compare` compares models over seeds."
            ],
            json: FailuresSummary(
                first: first.name, second: second.name, firstRun: first.run.id, secondRun: second.run.id,
                split: input.split, sequences: pairs.count, bothRight: right, parts: found, mcnemarP: p), files: files)
    }

    private typealias Pair = (LabelledOutcome, LabelledOutcome)

    private struct Reader {
        let name: String
        let file: String
        let run: FinishedRun

        init(_ group: RunGroup, _ input: AnalysisInput) throws {
            (name, file, run) = (group.name, group.fileName, try input.readings(by: group.best))
        }
    }

    private static func info(_ a: LabelledOutcome, _ b: LabelledOutcome, _ first: Reader, _ second: Reader) -> String {
        func line(_ reader: Reader, _ row: LabelledOutcome) -> String {
            let probability = Format.decimal(row.outcome.confidence, places: 4)
            return "\(reader.name) (run \(reader.run.id)): \(row.prediction) with probability \(probability), "
                + "of the truth \(Format.decimal(row.probability(of: row.truth), places: 4))"
        }
        return """
            Ground Truth: \(a.truth)
            \(line(first, a))
            \(line(second, b))
            Sequence: \(a.outcome.sequence)
            Track ID: \(a.outcome.track)

            """
    }
}

private struct FailuresSummary: Encodable {
    struct Part: Encodable {
        let name: String
        let count: Int
        let sequences: [String]
    }

    let first: String
    let second: String
    let firstRun: String
    let secondRun: String
    /// The part that was read; nil for the test set.
    let split: String?
    let sequences: Int
    let bothRight: Int
    let parts: [Part]
    let mcnemarP: Double
}
