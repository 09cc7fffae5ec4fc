import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

/// jersey's side of `sequences.py`.
struct SequencesBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sequences",
        abstract:
            "Reads the sequences of a data set, from frames in memory to answers. Prints a line of JSON with their lengths, "
            + "then for each line of standard input the seconds for reading all of them.")

    @Option(
        help:
            "Weights, with splits.json beside them; reads the test part (default: the bundled model, all parts)."
    )
    var weights: String?
    @Option(help: "Labelled data set in the folders format.") var data: String
    @Option(help: "Precision to compile to, such as int8.") var form = "int8"
    @Flag(help: "Stop reading a sequence early.") var anytime = false
    @Option(help: "Confidence at which to stop, if the file does not say.") var confidence: Double?
    @Option var batch = 1
    @Option var threads = 2
    @Option(help: "Number of sequences, evenly chosen (default: all).") var limit: Int?

    func run() throws {
        Runtime.keepMemory()
        Runtime.threads = threads
        guard let precision = Precision(rawValue: form) else {
            throw ValidationError("no such form: \(form)")
        }
        let checkpoint = try Checkpoint(named: weights ?? Checkpoint.bundledWord)
        let path = weights ?? Checkpoint.bundledName
        var options = Recognizer.Options()
        options.device = .cpu
        options.precision = .fixed(precision)
        options.batchSize = batch
        let reader = try Recognizer(checkpoint, path: path, options: options).reader
        let loader = reader.loader
        var config = DataConfig()
        config.path = data
        config.input = checkpoint.card.input
        let dataset = try Dataset(config)
        let splits = try weights.map {
            try Splits(
                contentsOf: URL(fileURLWithPath: $0).deletingLastPathComponent().appending(
                    path: "splits.json"))
        }
        let all = splits?.sequences(.test, of: dataset) ?? dataset.sequences
        let count = min(limit ?? all.count, all.count)
        let sequences = (0..<count).map { all[$0 * all.count / count] }
        let batches = try reader.batches(of: sequences)
        let confidence = anytime ? try self.confidence ?? checkpoint.card.measuredEarlyExit().stops : nil
        func read() -> [Reading] {
            withoutGradients { batches.flatMap { reader.readings(of: $0, until: confidence) } }
        }
        let readings = read()
        try printJSON([
            "lengths": batches.flatMap(\.lengths).map(Double.init),
            "frames": [Double(readings.reduce(0) { $0 + $1.used.count })],
            "right": [Double(readings.count { $0.number == $0.sequence.number })],
            "size": [loader.maximumFrames, loader.preprocessor.height, loader.preprocessor.width].map(
                Double.init),
        ])
        while readLine() != nil {
            let start = ContinuousClock.now
            _ = read()
            try printJSON(["seconds": [(ContinuousClock.now - start).seconds]])
        }
    }
}
