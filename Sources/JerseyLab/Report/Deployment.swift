import Foundation
import Jersey
import Torch

/// The study's table 4, measured here: how long one model takes for a sequence, and what lower precision costs in accuracy.
struct Deployment: Encodable, Sendable {
    struct Row: Encodable, Sendable {
        let precision: String
        let batch: Int
        /// For one sequence: median time of a forward pass by the batch size.
        let seconds: Double
        /// On the test sequences; nil where it was not measured.
        var accuracy: Double?
    }

    let model: String
    let run: String
    let frames: Int
    let height: Int
    let width: Int
    let threads: Int
    private(set) var rows: [Row]

    /// Times forward passes in turns; a quarter of a minute or so.
    ///
    /// - Parameters:
    ///   - frames: where test frames are read from, for the accuracy at low precision; that is left out where nil.
    ///   - rounds: readings that a time is the median of; as many as there is time for where nil.
    /// - Throws: `FileError` when the weights or frames cannot be read.
    init(_ group: RunGroup, run: FinishedRun, frames source: RunFrames?, rounds given: Int? = nil) throws {
        let reader = try run.reader()
        let (model, size) = (reader.model, reader.loader.preprocessor)
        model.store.isTraining = false
        self.model = group.name
        self.run = run.id
        let count = model.spec.readsAnchorOnly ? 1 : reader.loader.maximumFrames
        (frames, height, width, threads) = (count, size.height, size.width, Runtime.threads)
        let precisions: [(name: String, dtype: DType?)] = [("FP32", nil), ("BF16", .bfloat16)]
        func forward(_ batch: Int, _ dtype: DType?) -> () -> Void {
            let clip = Tensor.normal([batch * count, 3, size.height, size.width], mean: 0, deviation: 1, seed: 1)
            let lengths = [Int](repeating: count, count: batch)
            return { withoutGradients { _ = withAutocast(dtype, on: .cpu) { model(clip, lengths: lengths) } } }
        }
        // What the larger batches are read with, and how many readings there is time for.
        let first = Latency.medians(rounds: given ?? 3, precisions.map { forward(1, $0.dtype) })
        let fast = first[1] < first[0] ? 1 : 0
        let batches = [4, 8, 16]
        let bodies = precisions.map { forward(1, $0.dtype) } + batches.map { forward($0, precisions[fast].dtype) }
        let rounds = given ?? max(3, min(31, Int(12 / (first.reduce(0, +) + 28 * first[fast]))))
        let seconds = Latency.medians(rounds: rounds, bodies)
        rows = zip(precisions, seconds).map { Row(precision: $0.name, batch: 1, seconds: $1, accuracy: nil) }
        rows.append(rows[fast])
        rows += zip(batches, seconds.dropFirst(2)).map {
            Row(precision: precisions[fast].name, batch: $0, seconds: $1 / Double($0), accuracy: nil)
        }
        rows[0].accuracy = run.result.test?.all.sequences.number.value
        if let source {
            rows[1].accuracy = try withAutocast(.bfloat16, on: .cpu) { try Self.accuracy(reader, run, source) }
        }
    }

    private static func accuracy(_ reader: SequenceReader, _ run: FinishedRun, _ source: RunFrames) throws -> Double? {
        let sequences = try run.labelled.map { try source.sequence($0.outcome.sequence) }
        let (readings, _) = try reader.readAll(sequences)
        return Proportion(readings.count { $0.number == $0.sequence.number }, of: readings.count).value
    }

    var table: Table {
        let published = PublishedFigures.latency
        let baseline = rows[0].seconds
        func line(_ setting: String, _ row: Row, published: String) -> [String] {
            [
                setting, row.precision, String(format: "%.2f", row.seconds * 1e3),
                String(format: "%.2f×", baseline / row.seconds),
                row.accuracy.map { String(format: "%.2f", $0 * 100) } ?? "-", published,
            ]
        }
        func ms(_ value: Double) -> String { String(format: "%.2f", value) }
        let batches = rows.dropFirst(2).map { row in
            let figure = published.fp16JITByBatch.first { $0.batch == row.batch }?.ms
            return line("Batch = \(row.batch)", row, published: figure.map { ms($0) + " (FP16+JIT)" } ?? "-")
        }
        return Table(
            ["Setting", "Precision", "Latency (ms)", "Speedup", "Acc (%)", "published (ms)"],
            rows: [
                line("Baseline", rows[0], published: ms(published.fp32) + " (FP32)"),
                line(
                    "Reduced precision", rows[1],
                    published: "\(ms(published.fp16)) (FP16), \(ms(published.fp16JIT)) (FP16+JIT)"),
            ] + batches, title: "Table 4: deployment of \(model)",
            note: "Forward pass for one sequence of \(frames) frames of \(width)x\(height) on this CPU with \(threads) "
                + "thread\(threads == 1 ? "" : "s"), medians of readings taken in turns, loading left out; published: attn_bgru_luong at "
                + "96x192 on an RTX 3090. Accuracy is that of run \(run).")
    }
}
