import Foundation
import Jersey
import Torch

/// One model in every form and at several batch sizes: how long it takes for a sequence, and what it costs in accuracy. The study's
/// table 4, measured here.
public struct ProductionBenchmark: Encodable, Sendable {
    public struct Row: Encodable, Sendable {
        public let form: String
        public let batch: Int
        /// Of the forward pass, divided by the batch size.
        public let sequence: Timing
    }

    /// What a form answers, beside the first.
    public struct Answers: Encodable, Sendable {
        public let form: String
        public let right: Int
        public let sequences: Int
        /// Sequences of which it reads another number than the first form.
        public let changed: Int
        /// Largest difference of a digit's probability from the first form's.
        public let largestDifference: Double
    }

    public let model: String
    public let weights: String
    public let frames: Int
    public let height: Int
    public let width: Int
    public let threads: Int
    /// "cpu" or "cuda".
    public let device: String
    /// For every batch size, every form; the first is the baseline.
    public private(set) var rows: [Row] = []
    /// One for every form; empty where there were no sequences to read.
    public private(set) var answers: [Answers] = []
    /// Forms that cannot be had, and why.
    public private(set) var leftOut: [String] = []
    private let place: String

    /// Times forward passes in turns; half a minute or so, and longer with sequences to read.
    ///
    /// - Parameters:
    ///   - device: where all is measured.
    ///   - path: what errors and the report call the weights.
    ///   - sequences: labelled ones, to compare answers on.
    ///   - rounds: readings of each time; as many as there is time for where nil.
    ///   - progress: called with each form's name before it reads the sequences.
    /// - Throws: `FileError` when weights or frames cannot be read.
    public init(
        _ checkpoint: Checkpoint, on device: Device, path: String, loader: SequenceLoader, sequences: [FrameSequence],
        rounds given: Int? = nil,
        progress: (String) -> Void = { _ in }
    ) throws {
        let size = loader.preprocessor
        let count = checkpoint.card.spec.readsAnchorOnly ? 1 : loader.maximumFrames
        (model, weights) = (checkpoint.card.spec.name, path)
        (frames, height, width) = (count, size.height, size.width)
        (threads, self.device, place) = (Runtime.threads, device.description, device.place(threads: Runtime.threads))
        var forms: [(form: ReadingForm, model: JerseyModel)] = []
        for form in ReadingForm.all(on: device) {
            do {
                forms.append((form, try form.model(checkpoint, on: device, path: path)))
            } catch let error as UsageError {
                leftOut.append("\(form.name): \(error)")
            }
        }
        /// A pass in each form.
        func passes(_ batch: Int) -> [() -> Void] {
            let (clip, lengths) = (size.drawnFrames(batch * count, on: device), [Int](repeating: count, count: batch))
            return forms.map { form, model in { form(on: device) { _ = model(clip, lengths: lengths) } } }
        }
        let batches = [1, 4, 8, 16]
        // How many readings there is time for.
        let first = Timing.inTurns(rounds: given ?? 3, passes(1)).reduce(0) { $0 + $1.p50 }
        let rounds = given ?? max(5, min(101, Int(30 / (first * Double(batches.reduce(0, +))))))
        let cases = batches.flatMap { batch in forms.map { (form: $0.form, batch: batch) } }
        rows = zip(cases, Timing.inTurns(rounds: rounds, batches.flatMap(passes))).map { entry, timing in
            Row(form: entry.form.name, batch: entry.batch, sequence: timing / Double(entry.batch))
        }

        guard !sequences.isEmpty else { return }
        var baseline: [String: Reading] = [:]
        for entry in forms {
            progress(entry.form.name)
            var reader = SequenceReader(model: entry.model, loader: loader)
            reader.calibration = checkpoint.card.calibration
            let readings = try entry.form(on: device) { try reader.readAll(sequences).0 }
            if baseline.isEmpty {
                baseline = Dictionary(readings.map { ($0.sequence.id, $0) }, uniquingKeysWith: { first, _ in first })
            }
            let pairs = readings.compactMap { reading in baseline[reading.sequence.id].map { (reading, $0) } }
            answers.append(
                Answers(
                    form: entry.form.name, right: readings.count { $0.number == $0.sequence.number }, sequences: readings.count,
                    changed: pairs.count { $0.number != $1.number },
                    largestDifference: pairs.map { Self.difference($0, $1) }.max() ?? 0))
        }
    }

    private static func difference(_ a: Reading, _ b: Reading) -> Double {
        zip(a.tens + a.ones, b.tens + b.ones).map { abs(exp($0) - exp($1)) }.max() ?? 0
    }
}

// MARK: - As tables

extension ProductionBenchmark {
    private var workload: String {
        "Forward pass for one sequence of \(frames) frame\(frames == 1 ? "" : "s") of \(width)x\(height) \(place), \(rows.first?.sequence.readings ?? 0) readings taken in turns after 2 that do not count, loading "
            + "left out; a batch's time is divided by its size."
    }

    /// All forms at all batch sizes, milliseconds a sequence.
    public var formTable: Table {
        Table(
            ["form", "batch"] + Timing.columns + ["sequences/s", "speedup"],
            rows: rows.map { row in
                [row.form, "\(row.batch)"] + row.sequence.cells + [
                    String(format: "%.1f", 1 / row.sequence.mean),
                    String(format: "%.2f×", rows[0].sequence.p50 / row.sequence.p50),
                ]
            }, title: "\(model), milliseconds a sequence", note: workload)
    }

    /// What lower precision costs; nil where no sequences were read.
    public var answerTable: Table? {
        answers.isEmpty
            ? nil
            : Table(
                ["form", "numbers right", "changed", "largest difference of a probability"],
                rows: answers.map {
                    [
                        $0.form, Proportion($0.right, of: $0.sequences).text, "\($0.changed) of \($0.sequences)",
                        String(format: "%.1e", $0.largestDifference),
                    ]
                }, title: "The same sequences in every form",
                note:
                    "Changed: another number than \(answers[0].form). To be kept: 0 in float32, 0.1% in bfloat16 and float16, 0.5% in int8."
            )
    }

    /// The study's layout and its figures beside: the baseline, the fastest form, and the fastest for each batch size.
    public var studyTable: Table {
        let published = PublishedFigures.latency
        func line(_ setting: String, _ row: Row, published: String) -> [String] {
            let answers = answers.first { $0.form == row.form }
            return [
                setting, row.form, String(format: "%.2f", row.sequence.p50 * 1e3),
                String(format: "%.2f×", rows[0].sequence.p50 / row.sequence.p50),
                answers.flatMap { Proportion($0.right, of: $0.sequences).value }.map { String(format: "%.2f", $0 * 100) } ?? "-",
                published,
            ]
        }
        func fastest(_ batch: Int) -> Row? {
            rows.filter { $0.batch == batch }.min { $0.sequence.p50 < $1.sequence.p50 }
        }
        func ms(_ value: Double) -> String { String(format: "%.2f", value) }
        let batches = published.fp16JITByBatch.compactMap { figure in
            fastest(figure.batch).map { line("Batch = \(figure.batch)", $0, published: ms(figure.ms) + " (FP16+JIT)") }
        }
        return Table(
            ["Setting", "Form", "Latency (ms)", "Speedup", "Acc (%)", "published (ms)"],
            rows: [line("Baseline", rows[0], published: ms(published.fp32) + " (FP32)")]
                + (fastest(1).map {
                    [line("Optimized", $0, published: "\(ms(published.fp16)) (FP16), \(ms(published.fp16JIT)) (FP16+JIT)")]
                } ?? []) + batches, title: "Table 4: deployment of \(model)",
            note: workload
                + " Medians; each batch in the form that was fastest. Published: attn_bgru_luong at 96x192 on an RTX 3090. Weights: "
                + "\(weights).")
    }

    public var report: Report {
        Report(
            title: "Deployment of \(model)", subtitle: weights,
            sections: [
                .init("The study's table 4", [.table(studyTable)]),
                .init("All forms", [.table(formTable)] + (leftOut.isEmpty ? [] : [.list(leftOut.map { "Left out: \($0)." })])),
            ] + (answerTable.map { [.init("Answers", [.table($0)])] } ?? []))
    }
}

extension ProductionBenchmark {
    /// The best weights of a run, on its test sequences.
    ///
    /// - Parameters:
    ///   - source: where the frames are; no sequences are read where nil.
    ///   - limit: how many sequences are read at most, evenly spaced.
    init(_ run: FinishedRun, frames source: RunFrames?, limit: Int = 200, rounds: Int? = nil) throws {
        let labelled = run.labelled
        let step = max(1, (labelled.count + limit - 1) / limit)
        let sequences = try source.map { source in
            try stride(from: 0, to: labelled.count, by: step).map { try source.sequence(labelled[$0].outcome.sequence) }
        }
        let checkpoint = try Checkpoint(contentsOf: run.folder.best)
        try self.init(
            checkpoint, on: .cpu, path: run.id, loader: SequenceLoader(run.config, spec: checkpoint.card.spec, training: false),
            sequences: sequences ?? [], rounds: rounds)
    }
}
