import Foundation
import Jersey
import JerseyOutput
import Torch

/// Latency and accuracy of one model in every execution form and at several batch sizes: the
/// study's table 4, measured on this machine.
package struct ProductionBenchmark: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        package let form: String
        package let batch: Int
        /// Forward pass time divided by the batch size.
        package let sequence: Timing
        package let sequencesPerSecond: Double
        let isCompiled: Bool
    }

    /// A form's answers compared with the first form's.
    package struct Answers: Encodable, Sendable {
        package let form: String
        package let right: Int
        package let tensRight: Int
        package let onesRight: Int
        package let sequences: Int
        /// Sequences whose number differs from the first form's.
        package let changed: Int
        /// Largest difference of a digit probability from the first form's.
        package let largestDifference: Double
        /// The share of sequences that is allowed to change.
        package let tolerance: Double
        package let isKept: Bool
    }

    package let model: String
    package let weights: String
    package let frames: Int
    package let height: Int
    package let width: Int
    package let setting: BenchmarkSetting
    /// Every form at every batch size. The first row is the baseline.
    package let rows: [Row]
    /// One per form; empty if there were no sequences.
    package let answers: [Answers]
    /// Forms and batches that were skipped, and why.
    package let leftOut: [String]
    /// The study's latencies if this is the study's model; otherwise empty.
    let published: [PublishedFigures.Latency]

    /// Interleaves the timings of forward passes. Takes about 30 s, and longer for slow models or
    /// with sequences to read.
    ///
    /// - Parameters:
    ///   - device: runs everything.
    ///   - path: the weights' name in errors and in the report.
    ///   - sequences: must be labelled. The forms' answers are compared on them.
    ///   - rounds: repetitions per timing; nil for as many as time allows.
    ///   - limit: limit in seconds for the timings, and again for reading the sequences. Large
    ///     batches and some of the sequences are skipped if time is short. Batch size 1 is always
    ///     timed.
    ///   - memory: limit in bytes; nil for the free memory.
    ///   - progress: called before each step with its description and expected duration.
    /// - Throws: `FileError` if weights or frames cannot be read.
    package init(
        _ checkpoint: Checkpoint, on device: Device, path: String, loader: SequenceLoader,
        sequences: [FrameSequence],
        rounds given: Int? = nil, within limit: Double? = nil, memory: Int? = nil,
        progress: (String) -> Void = { _ in }
    ) throws {
        let size = loader.preprocessor
        let count = checkpoint.card.spec.frameCount(limit: loader.maximumFrames)
        model = checkpoint.card.spec.title
        weights = path
        published =
            checkpoint.card.spec == (try ModelSpec.named("attn_bgru_luong")) ? PublishedFigures.latency : []
        frames = count
        height = size.height
        width = size.width
        let (readers, missing) = try Self.readers(checkpoint, on: device, path: path, loader: loader)
        /// One forward pass per form.
        func passes(_ batch: Int) -> [() -> Void] {
            let clip = size.drawnFrames(batch * count, on: device)
            let lengths = [Int](repeating: count, count: batch)
            return readers.map { reader in
                { reader.mode(on: device) { _ = reader.recognizer.reader.model(clip, lengths: lengths) } }
            }
        }
        let budget = try MemoryBudget(checkpoint.card.spec.encoder, size, on: device, available: memory)
        let once = Timing.once(passes(1))
        let (batches, refused) = Self.batches(once: once, rounds: given, within: limit) {
            budget.refusal(frames: $0 * count)
        }
        leftOut = missing + refused
        let all = once * Double(batches.reduce(0, +))
        let rounds = given ?? Timing.rounds(once: all)
        progress(
            "timing \(model) in \(readers.count) forms and batches of \(batches.map(String.init).joined(separator: ", ")): "
                + "about \(Format.decimal(all * Double(rounds + Timing.warmUpRounds), places: 0)) seconds")
        let cases = batches.flatMap { batch in readers.map { (mode: $0.mode, batch: batch) } }
        rows = zip(cases, Timing.inTurns(rounds: rounds, batches.flatMap(passes))).map { entry, timing in
            Row(
                form: entry.mode.name, batch: entry.batch, sequence: timing / Double(entry.batch),
                sequencesPerSecond: Double(entry.batch) / timing.mean, isCompiled: entry.mode.isCompiled)
        }
        setting = BenchmarkSetting(
            "the forward pass, from normalised frames to logits, divided by the batch size", on: device,
            readings: rounds)
        let shown = limit.map { sequences.evenly(max(10, Int($0 / max(once, 1e-6)))) } ?? sequences
        answers = try shown.isEmpty ? [] : Self.answers(readers, on: device, shown, progress)
    }

    private struct Reader {
        let mode: ExecutionMode
        let recognizer: Recognizer
    }

    /// The model in each available form, and why other forms are skipped.
    private static func readers(
        _ checkpoint: Checkpoint, on device: Device, path: String, loader: SequenceLoader
    ) throws -> ([Reader], leftOut: [String]) {
        let possible = ExecutionMode.all(on: device)
        var readers: [Reader] = []
        var leftOut = possible.leftOut
        for mode in possible.modes {
            do {
                let recognizer = try mode.recognizer(checkpoint, on: device, path: path, loader: loader)
                readers.append(Reader(mode: mode, recognizer: recognizer))
            } catch let error as UsageError {
                leftOut.append(mode.leftOut(error))
            }
        }
        return (readers, leftOut)
    }

    /// Batch sizes that fit in time and memory, and why others are skipped.
    ///
    /// It assumes that time grows in proportion to the batch size. Trying all sizes would take
    /// longer than 30 s itself.
    /// - Parameters:
    ///   - once: seconds that all forms together take for a batch of one.
    ///   - memoryRefusal: why a batch does not fit in memory; nil if it does.
    private static func batches(
        once: Double, rounds: Int?, within limit: Double?, memoryRefusal: (Int) -> String?
    ) -> ([Int], leftOut: [String]) {
        var batches = [1]
        var leftOut: [String] = []
        for batch in [4, 8, 16] {
            let seconds =
                once
                * Double(
                    (batches.reduce(batch, +))
                        * (Timing.warmUpRounds + (rounds ?? Timing.rounds(once: .infinity))))
            if let reason = memoryRefusal(batch) {
                leftOut.append("batch \(batch): \(reason)")
            } else if let limit, seconds > limit {
                leftOut.append(
                    "batch \(batch): would take too long, \(Format.decimal(seconds, places: 0)) seconds")
            } else {
                batches.append(batch)
            }
        }
        return (batches, leftOut)
    }

    /// Compares each form's answers with the first form's.
    private static func answers(
        _ readers: [Reader], on device: Device, _ sequences: [FrameSequence], _ progress: (String) -> Void
    ) throws -> [Answers] {
        var baseline: [String: Reading] = [:]
        return try readers.map { reader in
            progress("reading \(sequences.count) sequences: \(reader.mode.name)")
            let readings = try reader.mode(on: device) { try reader.recognizer.reader.readAll(sequences).0 }
            if baseline.isEmpty {
                baseline = Dictionary(
                    readings.map { ($0.sequence.id, $0) }, uniquingKeysWith: { first, _ in first })
            }
            let pairs = readings.compactMap { reading in baseline[reading.sequence.id].map { (reading, $0) } }
            let changed = pairs.count { $0.number != $1.number }
            return Answers(
                form: reader.mode.name, right: readings.count { $0.number == $0.sequence.number },
                tensRight: readings.count { $0.number.tens == $0.sequence.number?.tens },
                onesRight: readings.count { $0.number.ones == $0.sequence.number?.ones },
                sequences: readings.count,
                changed: changed, largestDifference: pairs.map { $0.largestDifference(from: $1) }.max() ?? 0,
                tolerance: reader.mode.tolerance,
                isKept: Double(changed) <= reader.mode.tolerance * Double(pairs.count))
        }
    }
}

// MARK: - As tables

extension ProductionBenchmark {
    private var workload: String {
        "Sequences of \(frames) frame\(frames == 1 ? "" : "s") of \(width)x\(height). \(setting.note)"
    }

    /// All forms at all batch sizes, in milliseconds per sequence.
    package var formTable: Table {
        Table(
            ["form", "batch"] + Timing.columns + ["sequences/s", "speedup"],
            rows: rows.map { row in
                [row.form, "\(row.batch)"] + row.sequence.cells + [
                    Format.decimal(row.sequencesPerSecond, places: 1),
                    Format.times(rows[0].sequence.p50 / row.sequence.p50),
                ]
            }, title: "\(model), milliseconds per sequence", note: fastest + workload)
    }

    private var fastest: String {
        let alone = rows.filter { $0.batch == 1 }.min { $0.sequence.p50 < $1.sequence.p50 }
        let most = rows.min { $0.sequence.p50 < $1.sequence.p50 }
        guard let alone, let most else { return "" }
        func time(_ row: Row) -> String { "\(row.form), \(Format.time(row.sequence.p50))" }
        return
            "Fastest for one sequence: \(time(alone)); overall: \(time(most)) per sequence in batches of \(most.batch). "
    }

    /// The accuracy cost of lower precision; nil if no sequences were read.
    package var answerTable: Table? {
        answers.isEmpty
            ? nil
            : Table(
                [
                    "form", "numbers right", "tens", "ones", "changed", "at most", "kept",
                    "largest difference of a probability",
                ],
                rows: answers.map { answer in
                    [answer.form]
                        + [answer.right, answer.tensRight, answer.onesRight].map {
                            Proportion($0, of: answer.sequences).text
                        }
                        + [
                            "\(answer.changed) of \(answer.sequences)",
                            Format.percent(answer.tolerance, digits: 6), answer.isKept ? "yes" : "no",
                            Format.scientific(answer.largestDifference, places: 1),
                        ]
                }, title: "The same sequences in every form",
                note: "Changed: a different number than \(answers[0].form).")
    }

    /// The study's table layout with its figures alongside: the baseline, lower precision
    /// uncompiled and compiled, and the fastest form for each batch size.
    package var studyTable: Table {
        func fastest(_ batch: Int, where isMeant: (Row) -> Bool = { _ in true }) -> Row? {
            rows.filter { $0.batch == batch && isMeant($0) }.min { $0.sequence.p50 < $1.sequence.p50 }
        }
        func ours(_ figure: PublishedFigures.Latency) -> Row? {
            switch (figure.setting, figure.precision) {
            case ("Baseline", _): rows[0]
            case ("Optimized", "FP16"): fastest(1) { !$0.isCompiled && $0.form != rows[0].form }
            case ("Optimized", _): fastest(1, where: \.isCompiled)
            default: fastest(figure.batch)
            }
        }
        func theirs(_ figure: PublishedFigures.Latency) -> [String] {
            [
                figure.precision, Format.decimal(figure.millisecondsPerSequence, places: 2),
                Format.times(figure.speedup),
                Format.decimal(figure.accuracy, places: 2),
            ]
        }
        return Table(
            ["Setting", "Form", "Latency (ms)", "Speedup", "Acc (%)"]
                + (published.isEmpty ? [] : ["published: precision", "ms", "speedup", "Acc (%)"]),
            rows: PublishedFigures.latency.compactMap { figure in
                guard let row = ours(figure) else { return nil }
                let answers = answers.first { $0.form == row.form }
                return [
                    figure.setting, row.form, Format.milliseconds(row.sequence.p50),
                    Format.times(rows[0].sequence.p50 / row.sequence.p50),
                    Format.points(
                        answers.flatMap { Proportion($0.right, of: $0.sequences).value }, places: 2),
                ] + (published.isEmpty ? [] : theirs(figure))
            }, title: "Table 4: deployment of \(model)",
            note: workload + " Medians; each batch uses its fastest form."
                + (published.isEmpty ? "" : " Published: attn_bgru_luong at 96x192 on an RTX 3090.")
                + " Weights: \(weights).")
    }

    package var report: Report {
        Report(
            title: "Deployment of \(model)", subtitle: weights,
            sections: [
                .init("The study's table 4", [.table(studyTable)]),
                .init(
                    "All forms",
                    [.table(formTable)] + (leftOut.isEmpty ? [] : [.list(leftOut.map { "Skipped: \($0)." })])),
            ] + (answerTable.map { [.init("Answers", [.table($0)])] } ?? []))
    }
}

extension ProductionBenchmark {
    /// Measures a run's best weights on its test sequences.
    ///
    /// - Parameters:
    ///   - source: provides the frames; nil to read no sequences.
    ///   - limit: maximum number of sequences, evenly spaced.
    init(
        _ run: FinishedRun, frames source: RunFrames?, limit: Int = 200, rounds: Int? = nil,
        within seconds: Double? = nil,
        progress: (String) -> Void = { _ in }
    ) throws {
        let sequences = try source.map { source in
            try run.labelled.evenly(limit).map { try source.sequence($0.outcome.sequence) }
        }
        let checkpoint = try Checkpoint(contentsOf: run.folder.best)
        try self.init(
            checkpoint, on: .cpu, path: run.id,
            loader: run.loader(checkpoint),
            sequences: sequences ?? [], rounds: rounds, within: seconds, progress: progress)
    }
}

extension Array {
    /// At most `limit` elements, evenly spaced.
    func evenly(_ limit: Int) -> [Element] {
        let step = Swift.max(1, (count + limit - 1) / limit)
        return stride(from: 0, to: count, by: step).map { self[$0] }
    }
}
