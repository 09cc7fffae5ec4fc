import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    /// Section 8.2 of the study. The study showed the first ten in its loader's order; here the
    /// most confident come first.
    static let mistakes = Analysis(
        name: "mistakes",
        summary: "Lists misread sequences, most confident first, with frames, probabilities and attention.",
        MistakesResult.self)
}

/// The sequences that one run misread, most confident first.
struct MistakesResult: AnalysisResult {
    let model: String
    let run: String
    let seed: UInt64
    /// The part of the split; nil for the test set.
    let split: String?
    /// Accuracy on labelled sequences, 0...1; nil if there are none.
    let accuracy: Double?
    /// Number of labelled sequences.
    let count: Int
    let wrong: [LabelledOutcome]
    /// The first `AnalysisInput.count` of `wrong`.
    let mistakes: [Mistake]

    init(_ input: AnalysisInput) throws {
        let run = try input.run
        let labelled = run.labelled
        model = input.groups[0].name
        self.run = run.id
        seed = run.result.seed
        split = input.split
        accuracy = run.accuracy
        count = labelled.count
        wrong = labelled.filter { !$0.isRight }.sorted {
            ($1.outcome.confidence, $0.outcome.sequence) < ($0.outcome.confidence, $1.outcome.sequence)
        }
        mistakes = try wrong.prefix(input.count).enumerated().map { index, wrong in
            Mistake(wrong, index: index + 1, frames: try input.frames(of: run).paths(of: wrong.outcome))
        }
    }

    /// Uses the study's keys.
    private struct Summary: Encodable {
        let modelType: String
        let run: String
        let seed: UInt64
        let split: String?
        let modelAccuracy: Double?
        let numMistakes: Int
        let numMistakesExtracted: Int
        let mistakes: [Mistake]
    }

    func encode(to encoder: any Encoder) throws {
        try Summary(
            modelType: model, run: run, seed: seed, split: split, modelAccuracy: accuracy,
            numMistakes: wrong.count,
            numMistakesExtracted: mistakes.count, mistakes: mistakes
        ).encode(to: encoder)
    }
}

/// One misread sequence, under the study's keys.
struct Mistake: Encodable, Sendable {
    struct Number: Encodable, Sendable {
        let tens: Int
        let ones: Int
        let jerseyStr: String
        /// The study's encoding. It is the same for 7 and 07.
        let fullNumber: Int

        init(_ number: JerseyNumber) {
            tens = number.tens
            ones = number.ones
            jerseyStr = number.description
            fullNumber = (number.tens == JerseyNumber.blank ? 0 : 10 * number.tens) + number.ones
        }
    }

    struct Digit: Encodable, Sendable {
        let predictedClass: Double
        let groundTruthClass: Double
        let allClasses: [Double]
    }

    struct Digits: Encodable, Sendable {
        let tens: Digit
        let ones: Digit
    }

    let index: Int
    let groundTruth: Number
    let prediction: Number
    let confidence: Double
    let probabilities: Digits
    let sequence: String
    /// The folder that holds the frames.
    let sequencePath: String
    let trackId: String
    let framePaths: [String]
    let numFrames: Int
    /// A weight per frame; nil if the model has no attention.
    let attention: [Double]?
    /// File name of the contact sheet, which lies beside the summary.
    let picture: String

    init(_ wrong: LabelledOutcome, index: Int, frames: [String]) {
        let outcome = wrong.outcome
        self.index = index
        groundTruth = Number(wrong.truth)
        prediction = Number(wrong.prediction)
        confidence = outcome.confidence
        func digit(_ values: [Double], _ prediction: Int, _ truth: Int) -> Digit {
            Digit(predictedClass: values[prediction], groundTruthClass: values[truth], allClasses: values)
        }
        probabilities = Digits(
            tens: digit(outcome.tens, wrong.prediction.tens, wrong.truth.tens),
            ones: digit(outcome.ones, wrong.prediction.ones, wrong.truth.ones))
        sequence = outcome.sequence
        sequencePath =
            frames.first.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path } ?? sequence
        trackId = outcome.track
        framePaths = frames
        numFrames = frames.count
        attention = outcome.attention
        picture = "mistake_\(Format.padded(index, digits: 2)).png"
    }
}

// MARK: - View

extension MistakesResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        var files: [AnalysisView.File] = []
        for (mistake, wrong) in zip(mistakes, wrong) {
            for (place, path) in mistake.framePaths.enumerated() {
                let url = URL(fileURLWithPath: path)
                let name = "frame_\(Format.padded(place, digits: 3))_\(url.lastPathComponent)"
                files.append(.init("mistakes/\(mistake.folder)/\(name)", copyOf: url))
            }
            files.append(.init("mistakes/\(mistake.folder)/info.txt", Data(mistake.info(in: self).utf8)))
            let sheet = ContactSheet(
                rows: [.init(wrong, frames: try input.frames(of: input.run).pictures(of: wrong.outcome))])
            let caption = "\(wrong.outcome.sequence): \(wrong.truth) read as \(wrong.prediction)"
            files.append(.init(mistake.picture, try sheet.image(), caption: caption))
        }
        files.append(.init("mistakes_summary.json", try JSON.output(self)))
        let more = wrong.count - mistakes.count
        return AnalysisView(
            of: self, tables: [table(of: input.sequences)],
            notes: more > 0 ? ["\(more) more; to show them, raise --count."] : [],
            files: files)
    }

    private func table(of sequences: String) -> Table {
        Table(
            ["", "sequence", "truth", "read", "confidence", "of the truth", "frames"],
            rows: zip(mistakes, wrong).map { mistake, wrong in
                [
                    "\(mistake.index)", wrong.outcome.sequence, wrong.truth.description,
                    wrong.prediction.description,
                    Format.percent(wrong.outcome.confidence, places: 1),
                    Format.percent(wrong.probability(of: wrong.truth), digits: 2),
                    "\(wrong.outcome.frames.count)",
                ]
            }, title: "\(model), run \(run): \(wrong.count) of \(count) \(sequences) misread")
    }
}

extension Mistake {
    /// "mistake_01_0_gt9_pred8", as in the study.
    fileprivate var folder: String {
        let name = sequence.split(separator: "/").last.map(String.init) ?? sequence
        return
            "mistake_\(Format.padded(index, digits: 2))_\(name)_gt\(groundTruth.jerseyStr)_pred\(prediction.jerseyStr)"
    }

    /// The study's `info.txt` format.
    fileprivate func info(in result: MistakesResult) -> String {
        func digit(_ value: Int) -> String { value == JerseyNumber.blank ? "blank" : "\(value)" }
        func four(_ value: Double?) -> String { Format.decimal(value, places: 4) }
        func number(_ number: Number) -> String {
            "  Jersey Number: \(number.jerseyStr)\n  Tens Digit: \(digit(number.tens))\n  Ones Digit: \(number.ones)\n"
                + "  Full Number: \(number.fullNumber)\n"
        }
        return """
            Mistake #\(index)
            Model: \(result.model)
            Model Accuracy: \(four(result.accuracy))
            Run: \(result.run)
            Seed: \(result.seed)

            Ground Truth:
            \(number(groundTruth))
            Prediction:
            \(number(prediction))
            Probabilities:
              Tens - Predicted (\(digit(prediction.tens))): \(four(probabilities.tens.predictedClass))
              Tens - Ground Truth (\(digit(groundTruth.tens))): \(four(probabilities.tens.groundTruthClass))
              Ones - Predicted (\(prediction.ones)): \(four(probabilities.ones.predictedClass))
              Ones - Ground Truth (\(groundTruth.ones)): \(four(probabilities.ones.groundTruthClass))

            Sequence Info:
              Sequence: \(sequence)
              Path: \(sequencePath)
              Track ID: \(trackId)
              Number of Frames: \(numFrames)

            """
    }
}

extension ContactSheet.Row {
    /// A row titled with the reading. The truth is in the subtitle.
    init(_ wrong: LabelledOutcome, frames: [ContactSheet.Frame], by model: String? = nil) {
        let words = [
            "read \(Format.percent(wrong.outcome.confidence, places: 1)), truth \(wrong.truth)",
            model ?? wrong.outcome.sequence,
        ]
        self.init(
            title: wrong.prediction.description, subtitle: words.joined(separator: "  "), frames: frames)
    }
}
