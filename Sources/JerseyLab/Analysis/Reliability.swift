import Jersey
import JerseyOutput

/// Whether answers are right as often as their confidence says, by the number of frames read.
///
/// Where the model judges its frames, these are also parts of each sequence, and whole tracks
/// (`CalibrationSample`). Any answer is wrong if no number is visible.
package struct Reliability: Sendable {
    struct Row {
        let name: String
        let answers: Calibration
        /// The share of samples that are answered, and of answers that are right.
        let answered: Proportion
        let right: Proportion
    }

    /// The first has all samples.
    let rows: [Row]

    /// - Parameters:
    ///   - readings: of labelled sequences.
    ///   - calibration: of the reader; nil answers everything.
    package init(_ readings: [Reading], _ calibration: ModelCalibration?) {
        let samples = Self.samples(readings, calibration)
        let groups: [(name: String, frames: ClosedRange<Int>)] = [
            ("all", 0...Int.max), ("1 frame", 1...1), ("2-4 frames", 2...4), ("5-16 frames", 5...16),
            ("more frames", 17...Int.max),
        ]
        rows = groups.compactMap { group in
            let answers = samples.filter { group.frames.contains($0.frames) }.map(\.answer)
            guard !answers.isEmpty else { return nil }
            let given = answers.filter { $0.confidence >= calibration?.threshold ?? 0 }
            return Row(
                name: group.name, answers: Calibration(answers),
                answered: Proportion(given.count, of: answers.count),
                right: Proportion(given.count(where: \.isRight), of: given.count))
        }
    }

    private typealias Sample = (frames: Int, answer: Calibration.Answer)

    private static func samples(_ readings: [Reading], _ calibration: ModelCalibration?) -> [Sample] {
        guard let calibration, calibration.looks != nil else {
            return readings.map { ($0.used.count, answer($0.digits, $0.sequence.number)) }
        }
        return CalibrationSample.all(readings).map { ($0.frames, answer($0.digits(calibration), $0.truth)) }
    }

    private static func answer(_ digits: DigitDistribution, _ truth: JerseyNumber?) -> Calibration.Answer {
        Calibration.Answer(
            confidence: digits.confidence, isRight: digits.number == truth,
            truth: truth.map(digits.probability) ?? 1 - digits.confidence)
    }

    package var table: Table {
        Table(
            ["", "samples", "mean confidence", "right", "ECE", "answered", "right of these"],
            rows: rows.map { row in
                let count = row.answers.answers.count
                let mean = row.answers.answers.reduce(0) { $0 + $1.confidence } / Double(count)
                let right = row.answers.answers.count(where: \.isRight)
                return [
                    row.name, "\(count)", Format.percent(mean, places: 1),
                    Proportion(right, of: count).text, Format.percent(row.answers.expectedError, places: 1),
                    row.answered.text, row.right.text,
                ]
            }, title: "Confidence",
            note:
                "ECE over \(Calibration.binCount) bins of equal width. Samples are sequences, and of models that judge their frames also "
                + "parts of sequences and whole tracks.")
    }

    package var chart: Chart {
        let series = rows.dropFirst(rows.count > 2 ? 1 : 0).map { row in
            let points = row.answers.bins.compactMap { bin in
                Chart.Value(bin.accuracy).map { Chart.Lines.Point(bin.meanConfidence, $0) }
            }
            return Chart.Lines.Series(row.name, points, style: .points)
        }
        return Chart(
            name: "reliability", title: "How often answers are right",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("confidence", range: 0...1, percent: true),
                    y: Chart.Axis("right", range: 0...1, percent: true), series,
                    diagonal: "perfectly calibrated")))
    }
}
