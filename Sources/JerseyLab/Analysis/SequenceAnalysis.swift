import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

extension Analysis {
    /// One sequence in depth: what each frame says by itself, what the model makes of all, and where it looks.
    static let sequence = Analysis(
        name: "sequence",
        summary: "One sequence in depth: what each frame says, the top three, attention, Grad-CAM on the frames."
    ) { input in
        let run = input.groups[0].best
        let frames = try input.frames(of: run)
        let sequence =
            try input.sequence.map(frames.sequence(named:)) ?? frames.sequence(suggestion(input.readings(by: run), input))
        let reader = try run.recognizer().reader
        let (readings, unreadable) = try reader.readAll([sequence])
        guard let reading = readings.first else { throw unreadable[0] }
        // A frame by itself is a sequence of one.
        let looks = try reader.readAll(
            sequence.frames.map {
                FrameSequence(id: $0, track: sequence.track, number: sequence.number, frames: [$0], anchor: nil)
            }
        ).0
        let heat = try reader.gradCAM(of: sequence)
        let depth = SequenceDepth(input.groups[0].name, run, reading, looks, heat.number)

        var sheet: [ContactSheet.Frame] = []
        var overlays: [ContactSheet.Frame] = []
        var files: [AnalysisResult.File] = []
        for (place, index) in heat.used.enumerated() {
            let image = try RGBImage(contentsOf: URL(fileURLWithPath: sequence.frames[index]))
            let overlay = HeatOverlay(image, heat.maps[place], input: reader.loader.preprocessor).image()
            let look = looks.first { $0.sequence.id == sequence.frames[index] }
            let weight = reading.attention.map { $0[place] }
            sheet.append(.init(image: image, caption: weight.map { Format.decimal($0, places: 2) }, weight: weight))
            overlays.append(.init(image: overlay, caption: look.map { "\($0.number)" }))
            files.append(.init("gradcam_\(Format.padded(index, digits: 3)).png", try overlay.pngData()))
        }
        let truth = sequence.number.map { "truth \($0)" } ?? "truth not known"
        let picture = ContactSheet(
            rows: [
                .init(
                    title: "\(reading.number)", subtitle: "\(Format.percent(depth.confidence, places: 1)), \(truth)",
                    frames: sheet),
                .init(title: "Grad-CAM", subtitle: "below: what the frame says alone", frames: overlays),
            ], frameHeight: 160)
        files.append(.init("sequence.png", try picture.image().pngData()))
        return AnalysisResult(
            tables: [depth.table, depth.frameTable],
            notes: ["The warmest places speak most for \(heat.number); places that speak against it stay as they are."],
            json: depth,
            charts: [depth.chart], files: files)
    }

    /// The most confident mistake, or else the first sequence; of those with frames enough to look into, where there are any.
    private static func suggestion(_ run: FinishedRun, _ input: AnalysisInput) throws -> String {
        func isLong(_ outcome: Outcome) -> Bool { (outcome.length ?? outcome.frames.count) >= 3 }
        let wrong = run.labelled.filter { !$0.isRight }.map(\.outcome).sorted { $0.confidence > $1.confidence }
        let candidates = wrong + run.outcomes
        guard let outcome = wrong.first(where: isLong) ?? candidates.first(where: isLong) ?? candidates.first else {
            throw UsageError("run \(run.id) has no \(input.sequences); name one with --sequence")
        }
        return outcome.sequence
    }
}

/// What there is to say of one sequence.
private struct SequenceDepth: Encodable {
    struct Candidate: Encodable {
        let number: String
        let probability: Double
    }

    struct Frame: Encodable {
        let frame: String
        let number: String
        let confidence: Double
        /// 0...1; nil where no truth is known.
        let truth: Double?
        let tens: Double
        let ones: Double
        /// Nil where the model has none, or did not read this frame.
        let attention: Double?
    }

    let model: String
    let run: String
    let sequence: String
    let truth: String?
    let number: String
    let confidence: Double
    let top: [Candidate]
    let topTens: [Candidate]
    let topOnes: [Candidate]
    let frames: [Frame]

    init(_ model: String, _ run: FinishedRun, _ reading: Reading, _ looks: [Reading], _ number: JerseyNumber) {
        let digits = reading.digits
        let truth = reading.sequence.number
        (self.model, self.run, sequence) = (model, run.id, reading.sequence.id)
        (self.truth, self.number) = (truth?.description, number.description)
        confidence = digits.probability(of: number)
        top = digits.top(3).map { Candidate(number: $0.description, probability: digits.probability(of: $0)) }
        func candidates(_ logs: [Double]) -> [Candidate] {
            logs.enumerated().sorted { $0.element > $1.element }.prefix(3).map { index, value in
                Candidate(number: index == JerseyNumber.blank ? "blank" : "\(index)", probability: exp(value))
            }
        }
        (topTens, topOnes) = (candidates(digits.tens), candidates(digits.ones))
        let weights = Dictionary(
            zip(reading.used.map { reading.sequence.frames[$0] }, reading.attention ?? []),
            uniquingKeysWith: { first, _ in first })
        frames = looks.map { look in
            let own = look.digits
            return Frame(
                frame: URL(fileURLWithPath: look.sequence.id).lastPathComponent, number: look.number.description,
                confidence: own.probability(of: look.number), truth: truth.map { own.probability(of: $0) },
                tens: exp(own.tens[number.tens]), ones: exp(own.ones[number.ones]), attention: weights[look.sequence.id])
        }
    }

    var table: Table {
        func words(_ candidates: [Candidate]) -> [String] {
            candidates.map { "\($0.number) \(Format.percent($0.probability, places: 1))" }
        }
        return Table(
            ["", "first", "second", "third"],
            rows: [["number"] + words(top), ["tens"] + words(topTens), ["ones"] + words(topOnes)],
            title: "\(sequence), \(truth.map { "truth \($0)" } ?? "truth not known"), read as \(number) by \(model), run \(run)")
    }

    var frameTable: Table {
        let agreeing = frames.count { $0.number == number }
        let right = truth.map { truth in ", \(frames.count { $0.number == truth }) the truth" } ?? ""
        func percent(_ value: Double?) -> String { Format.percent(value, places: 1) }
        return Table(
            [
                "frame", "alone", "confidence", "of the truth", "tens \(number.count > 1 ? String(number.prefix(1)) : "blank")",
                "ones \(number.suffix(1))", "attention",
            ],
            rows: frames.map { frame in
                [
                    frame.frame, frame.number, percent(frame.confidence), percent(frame.truth), percent(frame.tens),
                    percent(frame.ones), Format.decimal(frame.attention, places: 3),
                ]
            }, title: "Frames by themselves: \(agreeing) of \(frames.count) say \(number)\(right)")
    }

    var chart: Chart {
        func series(_ name: String, _ value: (Frame) -> Double?) -> Chart.Lines.Series? {
            let points = frames.enumerated().compactMap { index, frame in
                value(frame).map { Chart.Lines.Point(Double(index), $0) }
            }
            return points.isEmpty ? nil : .init(name, points)
        }
        let truth = truth == number ? nil : series("probability of the truth, \(truth ?? "")") { $0.truth }
        return Chart(
            name: "frames", title: "\(sequence): frames by themselves",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("frame"), y: Chart.Axis("", range: 0...1, percent: true),
                    [series("probability of \(number)") { $0.tens * $0.ones }, truth, series("attention") { $0.attention }]
                        .compactMap { $0 })))
    }
}
