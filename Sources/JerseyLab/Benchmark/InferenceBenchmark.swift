import Foundation
import Jersey
import JerseyOutput

/// The time of models per batch of sequences: the network alone, and end to end from image files to
/// answers.
package struct InferenceBenchmark: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        package let model: String
        package let encoder: String
        package let parameters: Int
        /// Frames that the model reads per sequence.
        package let frames: Int
        /// From normalised frames to logits; seconds for a batch.
        package let forward: Timing
        /// From image files to answers (decoding, resizing, network, decision); seconds for a
        /// batch.
        package let endToEnd: Timing
        package let forwardSequencesPerSecond: Double
        package let endToEndSequencesPerSecond: Double
    }

    package let batch: Int
    package let height: Int
    package let width: Int
    /// Decoding threads.
    package let workers: Int
    package let form: String
    package let setting: BenchmarkSetting
    package let rows: [Row]

    /// - Parameters:
    ///   - recognizers: all run in `mode` on one device with one frame size. Their `workers`
    ///     decode.
    ///   - sequences: at most a recognizer's batch size, with frames on disk.
    ///   - rounds: repetitions per timing; nil for as many as time allows.
    ///   - memory: limit in bytes; nil for the free memory.
    /// - Throws: `FileError` if a frame cannot be read; `UsageError` if a batch exceeds the memory.
    package init(
        _ recognizers: [Recognizer], mode: ExecutionMode, sequences: [FrameSequence],
        rounds given: Int? = nil, memory: Int? = nil
    ) throws {
        let readers = recognizers.map(\.reader)
        precondition(!readers.isEmpty && !sequences.isEmpty, "nothing to measure")
        let size = readers[0].loader.preprocessor
        batch = sequences.count
        height = size.height
        width = size.width
        workers = readers[0].workers
        form = mode.name
        let device = readers[0].model.device
        let frames = readers.map { reader in sequences.map(reader.loader.frameCount).max() ?? 1 }
        // The longest sequence per encoder decides whether memory suffices.
        let most = Dictionary(zip(readers.map(\.model.spec.encoder), frames), uniquingKeysWith: max)
        for (encoder, count) in most {
            let budget = try MemoryBudget(encoder, size, on: device, available: memory)
            guard let reason = budget.refusal(frames: sequences.count * count) else { continue }
            throw UsageError(
                "a batch of \(sequences.count) sequences of \(count) frames \(reason); use a smaller --batch or fewer --frames"
            )
        }
        precondition(readers.allSatisfy { $0.batchSize >= sequences.count }, "the sequences are read at once")
        // Models with the same frame count share a batch.
        let clips = Dictionary(
            uniqueKeysWithValues: Set(frames).map { ($0, size.drawnFrames(sequences.count * $0, on: device)) }
        )
        let forward = zip(readers, frames).map { reader, count in
            let (clip, lengths) = (clips[count]!, [Int](repeating: count, count: sequences.count))
            return { mode(on: device) { _ = reader.model(clip, lengths: lengths) } }
        }
        let endToEnd = readers.map { reader in
            { _ = try reader.readAll(sequences) }
        }
        let rounds = try given ?? Timing.rounds(once: Timing.once(forward + endToEnd))
        let timings = try Timing.inTurns(rounds: rounds, forward + endToEnd)
        setting = BenchmarkSetting(
            "forward, from normalised frames to logits; end to end, from image files to answers", on: device,
            readings: rounds)
        let batch = Double(sequences.count)
        rows = readers.indices.map { index in
            let model = readers[index].model
            return Row(
                model: model.spec.title, encoder: model.spec.encoder.rawValue,
                parameters: model.parameterCount,
                frames: frames[index], forward: timings[index], endToEnd: timings[readers.count + index],
                forwardSequencesPerSecond: batch / timings[index].mean,
                endToEndSequencesPerSecond: batch / timings[readers.count + index].mean)
        }
    }

    package var table: Table {
        Table(
            ["model", "frames", "what"] + Timing.columns + ["sequences/s"],
            rows: rows.flatMap { row in
                [
                    ("forward", row.forward, row.forwardSequencesPerSecond),
                    ("end to end", row.endToEnd, row.endToEndSequencesPerSecond),
                ].map { name, timing, rate in
                    [row.model, "\(row.frames)", name] + timing.cells + [Format.decimal(rate, places: 1)]
                }
            }, title: "Inference, milliseconds for a batch of \(batch)",
            note:
                "\(form), frames of \(width)x\(height), \(workers) decoding threads. A single-frame model reads one frame per "
                + "sequence. \(fastest)\(setting.note)")
    }

    /// Names the fastest models by median; empty for a single model.
    private var fastest: String {
        func words(_ path: KeyPath<Row, Timing>) -> String {
            rows.min { $0[keyPath: path].p50 < $1[keyPath: path].p50 }.map {
                "\($0.model) (\(Format.time($0[keyPath: path].p50)))"
            } ?? ""
        }
        return rows.count > 1 ? "Fastest: \(words(\.forward)) forward, \(words(\.endToEnd)) end to end. " : ""
    }

    package var report: Report {
        Report(
            title: "Inference", subtitle: form, sections: [.init("Latency and throughput", [.table(table)])])
    }
}
