import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Reads the numbers in folders of frames.",
        discussion: """
            A path is a folder of frames, a tree of such folders, or image files (those of one folder are one sequence). Frames are \
            taken in natural order of their names; they need no label and no anchor.

            Example: jersey predict --weights runs/luong/best.safetensors new/track_17 --format json
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, json, jsonl, csv
    }

    @OptionGroup var options: WeightOptions

    @Argument(help: ArgumentHelp("Folders or image files.", valueName: "path"))
    var paths: [String]

    @Option(help: "Output.")
    var format = Format.table

    @Option(help: ArgumentHelp("Write there instead of to the terminal.", valueName: "file"))
    var output: String?

    @Flag(help: "One row for each track, the evidence of its sequences combined.")
    var tracks = false

    @Option(help: ArgumentHelp("Also draw the frames with their weights and the numbers read (PNG).", valueName: "file"))
    var sheet: String?

    func run() throws {
        let sequences = try UnlabelledSequences(paths).sequences
        let (reader, _) = try options.reader(singleFrame: .anchorOrAll)
        let progress = ProgressLine("reading", total: sequences.count)
        var predictions: [Prediction] = []
        try reader.read(sequences) { result in
            switch result {
            case .success(let reading): predictions.append(Prediction(reading))
            case .failure(let unreadable): predictions.append(Prediction(unreadable))
            }
            progress.advance()
        }
        progress.finish()
        // A sequence without a readable frame comes up before its batch; put all back in the order they were asked for.
        let places = Dictionary(uniqueKeysWithValues: sequences.enumerated().map { ($1.id, $0) })
        predictions.sort { places[$0.sequence, default: 0] < places[$1.sequence, default: 0] }
        let pictures = predictions
        if tracks { predictions = Prediction.combined(predictions) }
        try write(PredictionText.text(predictions, format))
        if let sheet { try PredictionSheet.write(pictures, to: URL(fileURLWithPath: sheet)) }
        Console.report(pictures.flatMap(\.leftOut), hint: "; --format json names all")
        if predictions.allSatisfy({ $0.number == nil }) { throw ExitCode(1) }
    }

    private func write(_ text: String) throws {
        guard let output else { return print(text, terminator: "") }
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: output))
    }
}
