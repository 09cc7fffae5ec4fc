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
    /// For every batch size, every precision.
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
        let batches = [1, 4, 8, 16]
        let cases = batches.flatMap { batch in precisions.map { (batch: batch, precision: $0) } }
        // How many readings there is time for.
        let first = Latency.medians(rounds: given ?? 3, precisions.map { forward(1, $0.dtype) }).reduce(0, +)
        let rounds = given ?? max(3, min(31, Int(15 / (first * Double(batches.reduce(0, +))))))
        let seconds = Latency.medians(rounds: rounds, cases.map { forward($0.batch, $0.precision.dtype) })
        rows = zip(cases, seconds).map {
            Row(precision: $0.precision.name, batch: $0.batch, seconds: $1 / Double($0.batch), accuracy: nil)
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
                setting, row.precision, "No", String(format: "%.2f", row.seconds * 1e3),
                String(format: "%.2f×", baseline / row.seconds),
                row.accuracy.map { String(format: "%.2f", $0 * 100) } ?? "-", published,
            ]
        }
        func ms(_ value: Double) -> String { String(format: "%.2f", value) }
        // The study's rows are of its fastest precision; ours is what turned out to be.
        let batches = published.fp16JITByBatch.compactMap { figure in
            rows.filter { $0.batch == figure.batch }.min { $0.seconds < $1.seconds }.map {
                line("Batch = \(figure.batch)", $0, published: ms(figure.ms) + " (FP16+JIT)")
            }
        }
        return Table(
            ["Setting", "Precision", "JIT", "Latency (ms)", "Speedup", "Acc (%)", "published (ms)"],
            rows: [
                line("Baseline", rows[0], published: ms(published.fp32) + " (FP32)"),
                line(
                    "Optimized", rows[1],
                    published: "\(ms(published.fp16)) (FP16), \(ms(published.fp16JIT)) (FP16+JIT)"),
            ] + batches, title: "Table 4: deployment of \(model)",
            note: "Forward pass for one sequence of \(frames) frames of \(width)x\(height) on this CPU with \(threads) "
                + "thread\(threads == 1 ? "" : "s"), medians of readings taken in turns, loading left out; a batch is read at the precision that "
                + "was faster, and there is no JIT here; published: attn_bgru_luong at "
                + "96x192 on an RTX 3090. Accuracy is that of run \(run).")
    }
}
