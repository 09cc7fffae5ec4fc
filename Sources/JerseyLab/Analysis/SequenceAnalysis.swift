import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

extension Analysis {
    /// One sequence in depth: the reading of each frame alone and of the whole sequence, and where
    /// the model looks.
    static let sequence = Analysis(
        name: "sequence",
        summary: "Examines one sequence: reading of each frame, top three numbers, attention, Grad-CAM.",
        SequenceResult.self)
}

/// A model's reading of one sequence, and of each of its frames alone.
struct SequenceResult: AnalysisResult {
    struct Candidate: Encodable {
        let number: String
        let probability: Double
    }

    struct Frame: Encodable {
        let frame: String
        let number: String
        let confidence: Double
        /// Probability of the truth, 0...1; nil if the truth is unknown.
        let truth: Double?
        let tens: Double
        let ones: Double
        /// Nil if the model has no attention or did not read this frame.
        let attention: Double?
    }

    let model: String
    let run: String
    let sequence: String
    let truth: String?
    /// The number that Grad-CAM explains.
    let number: String
    /// Probability of `number`, 0...1.
    let confidence: Double
    let top: [Candidate]
    let topTens: [Candidate]
    let topOnes: [Candidate]
    /// One per frame that decodes.
    let frames: [Frame]
    /// The number in the reading. It can differ from `number` only by rounding, because Grad-CAM
    /// runs a separate forward pass.
    private let read: JerseyNumber
    /// One per frame that the model read.
    private let pictures: [Picture]

    private struct Picture: Sendable {
        /// The frame's place in its sequence.
        let index: Int
        let path: String
        /// Nil if the frame does not decode.
        let number: JerseyNumber?
        /// Attention; nil if the model has none.
        let weight: Double?
        let heat: HeatMap
        let input: FramePreprocessor
    }

    private enum CodingKeys: CodingKey {
        case model, run, sequence, truth, number, confidence, top, topTens, topOnes, frames
    }

    init(_ input: AnalysisInput) throws {
        let run = input.groups[0].best
        let frames = try input.frames(of: run)
        let sequence =
            try input.sequence.map(frames.sequence(named:))
            ?? frames.sequence(Self.suggestion(input.readings(by: run), input))
        let reader = try run.recognizer().reader
        let (readings, unreadable) = try reader.readAll([sequence])
        guard let reading = readings.first else { throw unreadable[0] }
        // Reads each frame as a sequence of one.
        let alone = try reader.readAll(
            sequence.frames.map {
                FrameSequence(
                    id: $0, track: sequence.track, number: sequence.number, frames: [$0], anchor: nil)
            }
        ).0
        let heat = try reader.gradCAM(of: sequence)
        self.init(
            input.groups[0].name, run: run.id, reading, alone: alone, explaining: heat.number,
            pictures: heat.used.enumerated().map { place, index in
                Picture(
                    index: index, path: sequence.frames[index],
                    number: alone.first { $0.sequence.id == sequence.frames[index] }?.number,
                    weight: reading.attention.map { $0[place] }, heat: heat.maps[place],
                    input: reader.loader.preprocessor)
            })
    }

    /// - Parameter alone: a reading per single frame, as a sequence whose id is the frame's path.
    private init(
        _ model: String, run: String, _ reading: Reading, alone: [Reading], explaining number: JerseyNumber,
        pictures: [Picture]
    ) {
        let digits = reading.digits
        let truth = reading.sequence.number
        self.model = model
        self.run = run
        sequence = reading.sequence.id
        self.truth = truth?.description
        self.number = number.description
        read = reading.number
        confidence = digits.probability(of: number)
        top = digits.top(3).map { Candidate(number: $0.description, probability: digits.probability(of: $0)) }
        topTens = Self.candidates(digits.tens)
        topOnes = Self.candidates(digits.ones)
        let weights = Dictionary(
            zip(reading.used.map { reading.sequence.frames[$0] }, reading.attention ?? []),
            uniquingKeysWith: { first, _ in first })
        frames = alone.map { look in
            let own = look.digits
            return Frame(
                frame: URL(fileURLWithPath: look.sequence.id).lastPathComponent,
                number: look.number.description,
                confidence: own.probability(of: look.number), truth: truth.map { own.probability(of: $0) },
                tens: exp(own.tens[number.tens]), ones: exp(own.ones[number.ones]),
                attention: weights[look.sequence.id])
        }
        self.pictures = pictures
    }

    /// The three most probable classes of a digit.
    private static func candidates(_ logs: [Double]) -> [Candidate] {
        logs.enumerated().sorted { $0.element > $1.element }.prefix(3).map { index, value in
            Candidate(number: index == JerseyNumber.blank ? "blank" : "\(index)", probability: exp(value))
        }
    }

    /// The most confident mistake, or else the first sequence. Sequences of at least three frames
    /// come first.
    private static func suggestion(_ run: FinishedRun, _ input: AnalysisInput) throws -> String {
        func isLong(_ outcome: Outcome) -> Bool { (outcome.length ?? outcome.frames.count) >= 3 }
        let wrong = run.labelled.filter { !$0.isRight }.map(\.outcome).sorted {
            $0.confidence > $1.confidence
        }
        let candidates = wrong + run.outcomes
        guard let outcome = wrong.first(where: isLong) ?? candidates.first(where: isLong) ?? candidates.first
        else {
            throw UsageError("run \(run.id) has no \(input.sequences); name one with --sequence")
        }
        return outcome.sequence
    }
}

// MARK: - View

extension SequenceResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        let images = try pictures.map { try RGBImage(contentsOf: URL(fileURLWithPath: $0.path)) }
        let overlays = zip(pictures, images).map { HeatOverlay($1, $0.heat, input: $0.input).image() }
        let files = try zip(pictures, overlays).map { picture, overlay in
            AnalysisView.File("gradcam_\(Format.padded(picture.index, digits: 3)).png", try overlay.pngData())
        }
        return AnalysisView(
            of: self, tables: [table, frameTable],
            notes: ["Warm colours mark evidence for \(number); evidence against it is not coloured."],
            charts: [chart],
            files: files + [.init("sequence.png", try sheet(images, overlays).image().pngData())])
    }

    private var truthWords: String { truth.map { "truth \($0)" } ?? "truth not known" }

    private func sheet(_ images: [RGBImage], _ overlays: [RGBImage]) -> ContactSheet {
        ContactSheet(
            rows: [
                .init(
                    title: read.description,
                    subtitle: "\(Format.percent(confidence, places: 1)), \(truthWords)",
                    frames: zip(pictures, images).map { picture, image in
                        .init(
                            image: image, caption: picture.weight.map { Format.decimal($0, places: 2) },
                            weight: picture.weight)
                    }),
                .init(
                    title: "Grad-CAM", subtitle: "below: reading of each frame alone",
                    frames: zip(pictures, overlays).map { picture, overlay in
                        .init(image: overlay, caption: picture.number?.description)
                    }),
            ], frameHeight: 160)
    }

    private var table: Table {
        func words(_ candidates: [Candidate]) -> [String] {
            candidates.map { "\($0.number) \(Format.percent($0.probability, places: 1))" }
        }
        return Table(
            ["", "first", "second", "third"],
            rows: [["number"] + words(top), ["tens"] + words(topTens), ["ones"] + words(topOnes)],
            title: "\(sequence), \(truthWords), read as \(number) by \(model), run \(run)")
    }

    private var frameTable: Table {
        let agreeing = frames.count { $0.number == number }
        let right = truth.map { truth in ", \(frames.count { $0.number == truth }) the truth" } ?? ""
        func percent(_ value: Double?) -> String { Format.percent(value, places: 1) }
        return Table(
            [
                "frame", "alone", "confidence", "of the truth",
                "tens \(number.count > 1 ? String(number.prefix(1)) : "blank")",
                "ones \(number.suffix(1))", "attention",
            ],
            rows: frames.map { frame in
                [
                    frame.frame, frame.number, percent(frame.confidence), percent(frame.truth),
                    percent(frame.tens),
                    percent(frame.ones), Format.decimal(frame.attention, places: 3),
                ]
            }, title: "Single frames: \(agreeing) of \(frames.count) read as \(number)\(right)")
    }

    private var chart: Chart {
        func series(_ name: String, _ value: (Frame) -> Double?) -> Chart.Lines.Series? {
            let points = frames.enumerated().compactMap { index, frame in
                value(frame).map { Chart.Lines.Point(Double(index), $0) }
            }
            return points.isEmpty ? nil : .init(name, points)
        }
        let truth = truth == number ? nil : series("probability of the truth, \(truth ?? "")") { $0.truth }
        return Chart(
            name: "frames", title: "\(sequence): single frames",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("frame"), y: Chart.Axis("", range: 0...1, percent: true),
                    [
                        series("probability of \(number)") { $0.tens * $0.ones }, truth,
                        series("attention") { $0.attention },
                    ]
                    .compactMap { $0 })))
    }
}
