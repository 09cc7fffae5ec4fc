import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Reads the numbers in folders of frames, or of tracked players in a video.",
        discussion: """
            A path is a folder of frames, a tree of such folders, or image files (those of one folder are one sequence). Frames are \
            taken in natural order of their names; they need no label and no anchor. With --boxes it is a video, and there is a row \
            for each track.

            Example: jersey predict --weights runs/luong/best.safetensors new/track_17 --format json

            Example: jersey predict --weights runs/luong/best.safetensors match.mp4 --boxes tracks.txt --video read.mp4
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, json, jsonl, csv, mot
    }

    @OptionGroup var options: WeightOptions

    @OptionGroup var video: VideoOptions

    @Argument(help: ArgumentHelp("Folders or image files; with --boxes one video.", valueName: "path"))
    var paths: [String]

    @Option(help: "Output; mot is the tracker's boxes with the number of their track.")
    var format = Format.table

    @Option(help: ArgumentHelp("Write there instead of to the terminal.", valueName: "file"))
    var output: String?

    @Flag(help: "One row for each track, the evidence of its sequences combined.")
    var tracks = false

    @Option(help: ArgumentHelp("Also draw the frames with their weights and the numbers read (PNG).", valueName: "file"))
    var sheet: String?

    func validate() throws {
        guard video.boxes == nil || paths.count == 1 else {
            throw ValidationError("--boxes goes with one video, not \(paths.count)")
        }
        guard format != .mot || video.boxes != nil else {
            throw ValidationError("--format mot needs a video as the path, and its tracker's boxes in --boxes")
        }
    }

    func run() throws {
        let predictions = try video.boxes.map(readVideo) ?? readFolders()
        if predictions.allSatisfy({ $0.tens.isEmpty }) { throw ExitCode(1) }
    }

    private func readFolders() throws -> [Prediction] {
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
        try write(PredictionText.text(tracks ? Prediction.combined(predictions) : predictions, format))
        if let sheet { try PredictionSheet.write(predictions, to: URL(fileURLWithPath: sheet)) }
        Console.report(predictions.flatMap(\.leftOut), hint: "; --format json names all")
        return predictions
    }

    private func readVideo(_ file: String) throws -> [Prediction] {
        try video.video.map(VideoWriter.check)
        let boxes = try video.trackBoxes(file, strict: options.strict)
        let (reader, _) = try options.reader(singleFrame: .anchorOrAll)
        let (predictions, crops) = try video.read(
            paths[0], boxes, with: reader, shown: sheet == nil ? 0 : PredictionSheet.maximumRows)
        try write(PredictionText.text(predictions, format, boxes: boxes))
        if let sheet { try PredictionSheet.write(predictions, to: URL(fileURLWithPath: sheet)) { crops[$0] } }
        try video.annotate(paths[0], boxes, predictions)
        return predictions
    }

    private func write(_ text: String) throws {
        guard let output else { return print(text, terminator: "") }
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: output))
    }
}
