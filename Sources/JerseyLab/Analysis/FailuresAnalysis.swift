import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    static let failures = Analysis(
        name: "failures",
        summary: "Compares two models: sequences that both misread, or only one of them, with examples.",
        FailuresResult.self)
}

/// The sequences that two runs both misread, and those that only one misread.
struct FailuresResult: AnalysisResult {
    /// A run of one model.
    struct Reader: Sendable {
        let name: String
        let fileName: String
        let run: FinishedRun

        fileprivate init(_ group: RunGroup, _ input: AnalysisInput) throws {
            name = group.name
            fileName = group.fileName
            run = try input.readings(by: group.best)
        }
    }

    /// A sequence, and how each model read it.
    struct Pair: Sendable {
        let first: LabelledOutcome
        let second: LabelledOutcome
    }

    struct Part: Sendable {
        /// Such as "both_wrong"; also the folder of the examples.
        let name: String
        let title: String
        let pairs: [Pair]
        /// A random sample of `AnalysisInput.count` pairs.
        let examples: [Pair]
    }

    let first: Reader
    let second: Reader
    /// The part of the split; nil for the test set.
    let split: String?
    /// Sequences that both models read.
    let count: Int
    let bothRight: Int
    /// Both wrong, only the first wrong, only the second wrong.
    let parts: [Part]
    /// P value of McNemar's exact test that both are wrong equally often.
    let p: Double

    init(_ input: AnalysisInput) throws {
        guard input.groups.count >= 2 else {
            throw UsageError("failures compares two models; name two runs, or an experiment and --models a,b")
        }
        let first = try Reader(input.groups[0], input)
        let second = try Reader(input.groups[1], input)
        let others = Dictionary(
            second.run.labelled.map { ($0.outcome.sequence, $0) }, uniquingKeysWith: { first, _ in first })
        let pairs = first.run.labelled.compactMap { row in
            others[row.outcome.sequence].map { Pair(first: row, second: $0) }
        }
        guard !pairs.isEmpty else {
            throw UsageError(
                "\(first.name) and \(second.name) have no \(input.sequences) in common; train them with the same split"
            )
        }
        self.first = first
        self.second = second
        split = input.split
        count = pairs.count
        bothRight = pairs.count { $0.first.isRight && $0.second.isRight }
        var random = RandomStream(input.seed)
        func part(_ name: String, _ title: String, _ isMeant: (Pair) -> Bool) -> Part {
            let meant = pairs.filter(isMeant)
            let examples = meant.shuffled(using: &random).prefix(input.count)
            return Part(name: name, title: title, pairs: meant, examples: Array(examples))
        }
        parts = [
            part("both_wrong", "both wrong") { !$0.first.isRight && !$0.second.isRight },
            part("only_\(first.fileName)_wrong", "only \(first.name) wrong") {
                !$0.first.isRight && $0.second.isRight
            },
            part("only_\(second.fileName)_wrong", "only \(second.name) wrong") {
                $0.first.isRight && !$0.second.isRight
            },
        ]
        p = PairedComparison.mcNemar(parts[1].pairs.count, parts[2].pairs.count)
    }

    private struct Summary: Encodable {
        struct Part: Encodable {
            let name: String
            let count: Int
            let sequences: [String]
        }

        let first: String
        let second: String
        let firstRun: String
        let secondRun: String
        let split: String?
        let sequences: Int
        let bothRight: Int
        let parts: [Part]
        let mcnemarP: Double
    }

    func encode(to encoder: any Encoder) throws {
        try Summary(
            first: first.name, second: second.name, firstRun: first.run.id, secondRun: second.run.id,
            split: split,
            sequences: count, bothRight: bothRight,
            parts: parts.map { part in
                .init(
                    name: part.name, count: part.pairs.count,
                    sequences: part.pairs.map(\.first.outcome.sequence))
            }, mcnemarP: p
        ).encode(to: encoder)
    }
}

// MARK: - View

extension FailuresResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        AnalysisView(
            of: self, tables: [table(of: input.sequences), exampleTable],
            notes: [
                "McNemar's exact test of these two runs: p = \(Format.decimal(p, places: 3)). "
                    + "It compares one run each; to compare models over seeds, use `jersey runs compare`."
            ],
            files: try parts.flatMap { part in
                try part.examples.flatMap { try files(of: $0, in: part.name, input.frames(of: first.run)) }
            })
    }

    private func table(of sequences: String) -> Table {
        let parts = [("both right", bothRight)] + parts.map { ($0.title, $0.pairs.count) }
        return Table(
            ["", "sequences", "share"],
            rows: parts.map { title, part in [title, "\(part)", Format.percent(part, of: count, places: 2)] },
            title:
                "\(first.name) (run \(first.run.id)) against \(second.name) (run \(second.run.id)), \(sequences)"
        )
    }

    private var exampleTable: Table {
        Table(
            ["", "sequence", "truth", first.name, second.name],
            rows: parts.flatMap { part in
                part.examples.map { pair in
                    [
                        part.title, pair.first.outcome.sequence, pair.first.truth.description,
                        pair.first.prediction.description, pair.second.prediction.description,
                    ]
                }
            }, title: "Examples, drawn at random")
    }

    /// The frames of an example, a text file with both readings, and a contact sheet.
    private func files(of pair: Pair, in part: String, _ frames: RunFrames) throws -> [AnalysisView.File] {
        let sequence = pair.first.outcome.sequence
        let folder = "\(part)/\(sequence.replacing("/", with: "_"))_gt\(pair.first.truth)"
        let copies = try frames.sequence(sequence).frames.map { path in
            let url = URL(fileURLWithPath: path)
            return AnalysisView.File("\(folder)/\(url.lastPathComponent)", copyOf: url)
        }
        let sheet = ContactSheet(rows: [
            .init(pair.first, frames: try frames.pictures(of: pair.first.outcome), by: first.name),
            .init(pair.second, frames: try frames.pictures(of: pair.second.outcome), by: second.name),
        ])
        return copies + [
            .init("\(folder)/info.txt", Data(info(pair).utf8)),
            .init("\(folder)/sheet.png", try sheet.image().pngData()),
        ]
    }

    private func info(_ pair: Pair) -> String {
        func line(_ reader: Reader, _ row: LabelledOutcome) -> String {
            let probability = Format.decimal(row.outcome.confidence, places: 4)
            return
                "\(reader.name) (run \(reader.run.id)): \(row.prediction) with probability \(probability), "
                + "of the truth \(Format.decimal(row.probability(of: row.truth), places: 4))"
        }
        return """
            Ground Truth: \(pair.first.truth)
            \(line(first, pair.first))
            \(line(second, pair.second))
            Sequence: \(pair.first.outcome.sequence)
            Track ID: \(pair.first.outcome.track)

            """
    }
}
