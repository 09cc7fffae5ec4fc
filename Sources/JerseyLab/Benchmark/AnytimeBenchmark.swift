import Foundation
import Jersey
import JerseyOutput
import Torch

/// Throughput against accuracy when reading stops early (`--anytime`).
package struct AnytimeBenchmark: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        /// Confidence at which reading stops, 0...1; nil if all frames are read.
        package let confidence: Double?
        /// Share of frames read, 0...1.
        package let frames: Double
        package let right: Int
        /// Measured from frames in memory to answers.
        package let sequencesPerSecond: Double
    }

    package let model: String
    package let form: String
    package let batch: Int
    package let setting: BenchmarkSetting
    package let sequences: Int
    /// The first reads all frames.
    package let rows: [Row]
    /// The early exit stored in the model file, if any.
    package let stored: EarlyExit?

    /// - Parameters:
    ///   - recognizer: runs in `mode`.
    ///   - sequences: must be labelled. Their frames are decoded into memory first.
    ///   - rounds: repetitions per timing, whose median is reported.
    /// - Throws: what a strict loader throws.
    package init(
        _ recognizer: Recognizer, mode: ExecutionMode, sequences: [FrameSequence], rounds: Int
    ) throws {
        let (reader, stored) = (recognizer.reader, recognizer.card.earlyExit)
        var confidences: [Double?] = [nil, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]
        if let stops = stored?.stops, !confidences.contains(stops) { confidences.append(stops) }
        confidences.sort { ($0 ?? 2) > ($1 ?? 2) }
        let batches = try reader.batches(of: sequences)
        // Every round produces the same readings, so overwriting them is fine.
        var readings: [[Reading]] = confidences.map { _ in [] }
        let timings = Timing.inTurns(
            rounds: rounds,
            confidences.indices.map { index in
                {
                    readings[index] = withoutGradients {
                        batches.flatMap { reader.readings(of: $0, until: confidences[index]) }
                    }
                }
            })
        let frames = readings.map { $0.reduce(0) { $0 + $1.used.count } }
        rows = confidences.indices.map { index in
            Row(
                confidence: confidences[index], frames: Double(frames[index]) / Double(max(frames[0], 1)),
                right: readings[index].count { $0.number == $0.sequence.number },
                sequencesPerSecond: Double(readings[index].count) / timings[index].p50)
        }
        self.sequences = readings[0].count
        self.stored = stored
        form = mode.name
        model = reader.model.spec.title
        batch = reader.batchSize
        setting = BenchmarkSetting(
            "from frames in memory to answers (medians)", on: reader.model.device, readings: rounds)
    }

    package var table: Table {
        Table(
            ["stops at", "frames read", "numbers right", "sequences/s", "speedup"],
            rows: rows.map { row in
                let mark = row.confidence != nil && row.confidence == stored?.stops ? " (--anytime)" : ""
                return [
                    row.confidence.map { Format.decimal($0, places: 2) + mark } ?? "never",
                    Format.percent(row.frames, places: 0),
                    Proportion(row.right, of: sequences).text,
                    Format.decimal(row.sequencesPerSecond, places: 1),
                    Format.times(row.sequencesPerSecond / rows[0].sequencesPerSecond),
                ]
            }, title: "\(model), anytime",
            note:
                "\(form), batches of \(batch), \(sequences) sequences. \(setting.note)")
    }

    package var chart: Chart {
        Chart(
            name: "anytime", title: "Sequences a second against accuracy",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("sequences a second"), y: Chart.Axis("numbers right", percent: true),
                    [
                        .init(
                            model,
                            rows.map {
                                .init($0.sequencesPerSecond, Double($0.right) / Double(max(sequences, 1)))
                            })
                    ])))
    }

    package var report: Report {
        Report(
            title: "Anytime reading with \(model)", subtitle: form,
            sections: [.init("Sequences a second against accuracy", [.table(table), .chart(chart)])])
    }
}
