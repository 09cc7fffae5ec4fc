import Foundation
import Jersey
import Torch

/// Sequences per second against accuracy, for readers that stop looking when they are sure.
public struct AnytimeBenchmark: Encodable, Sendable {
    public struct Row: Encodable, Sendable {
        /// From which on no more frames are read, 0...1; nil where all are.
        public let confidence: Double?
        /// Share of the frames that are read.
        public let frames: Double
        public let right: Int
        /// Of the network, from frames in memory to answers.
        public let sequencesPerSecond: Double
    }

    public let model: String
    public let form: String
    public let batch: Int
    public let setting: BenchmarkSetting
    public let sequences: Int
    /// The first reads all frames.
    public let rows: [Row]
    /// The one that is kept in the model's file, where there is one.
    public let stored: EarlyExit?

    /// - Parameters:
    ///   - recognizer: in `form`.
    ///   - sequences: labelled ones; their frames are decoded into memory first.
    ///   - rounds: readings of each time, of which the median counts.
    /// - Throws: what a strict loader throws.
    public init(
        _ recognizer: Recognizer, form: ReadingForm, sequences: [FrameSequence], rounds: Int
    ) throws {
        let (reader, stored) = (recognizer.reader, recognizer.card.anytime)
        var confidences: [Double?] = [nil, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]
        if let stops = stored?.stops, !confidences.contains(stops) { confidences.append(stops) }
        confidences.sort { ($0 ?? 2) > ($1 ?? 2) }
        let batches = try reader.batches(of: sequences)
        // Every round reads the same.
        var readings: [[Reading]] = confidences.map { _ in [] }
        let timings = Timing.inTurns(
            rounds: rounds,
            confidences.indices.map { index in
                { readings[index] = withoutGradients { batches.flatMap { reader.readings(of: $0, until: confidences[index]) } } }
            })
        let frames = readings.map { $0.reduce(0) { $0 + $1.used.count } }
        rows = confidences.indices.map { index in
            Row(
                confidence: confidences[index], frames: Double(frames[index]) / Double(max(frames[0], 1)),
                right: readings[index].count { $0.number == $0.sequence.number },
                sequencesPerSecond: Double(readings[index].count) / timings[index].p50)
        }
        (self.sequences, self.stored, self.form) = (readings[0].count, stored, form.name)
        (model, batch) = (reader.model.spec.title, reader.batchSize)
        setting = BenchmarkSetting(
            "from frames in memory to answers, of which the medians", on: reader.model.device, readings: rounds)
    }

    public var table: Table {
        Table(
            ["stops at", "frames read", "numbers right", "sequences/s", "speedup"],
            rows: rows.map { row in
                let mark = row.confidence != nil && row.confidence == stored?.stops ? " (--anytime)" : ""
                return [
                    row.confidence.map { String(format: "%.2f", $0) + mark } ?? "never",
                    String(format: "%.0f%%", row.frames * 100),
                    Proportion(row.right, of: sequences).text, String(format: "%.1f", row.sequencesPerSecond),
                    String(format: "%.2f×", row.sequencesPerSecond / rows[0].sequencesPerSecond),
                ]
            }, title: "\(model), anytime",
            note:
                "\(form), batches of \(batch), \(sequences) sequences. \(setting.note)")
    }

    public var chart: Chart {
        Chart(
            name: "anytime", title: "Sequences a second against accuracy",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("sequences a second"), y: Chart.Axis("numbers right", percent: true),
                    [
                        .init(
                            model,
                            rows.map { .init($0.sequencesPerSecond, Double($0.right) / Double(max(sequences, 1))) })
                    ])))
    }

    public var report: Report {
        Report(
            title: "Anytime reading with \(model)", subtitle: form,
            sections: [.init("Sequences a second against accuracy", [.table(table), .chart(chart)])])
    }
}
