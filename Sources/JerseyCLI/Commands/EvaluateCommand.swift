import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures how well weights read a labelled data set.",
        discussion: """
            Accuracies stand with Wilson's 95% interval. A track's number is that of the summed evidence of its sequences. Seen \
            numbers are those that training has seen, as the weight file tells.

            Example: jersey evaluate --weights runs/luong/best.safetensors --data crops

            Example, with the bundled model: jersey evaluate --data crops --split all
            """)

    @OptionGroup var options: WeightOptions

    @Option(help: ArgumentHelp("Labelled data set, a folder or an archive of one.", valueName: "folder"))
    var data: String

    @OptionGroup var dataOptions: DataOptions

    @Option(
        help: ArgumentHelp(
            "Part to evaluate: \(Splits.Part.allCases.map(\.rawValue).joined(separator: ", ")), or all.", valueName: "name"))
    var split = Splits.Part.test.rawValue

    @Option(help: ArgumentHelp("Splits file; splits.json beside the weights where not given.", valueName: "file"))
    var splits: String?

    @Option(help: ArgumentHelp("Write a line of JSON for every sequence.", valueName: "file"))
    var outcomes: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var config = dataOptions.config(path: data)
        let (reader, card) = try options.reader(singleFrame: .anchor)
        config.maximumFrames = card.maximumFrames
        let dataset = try Dataset(config, published: card.published)
        let sequences = try chosen(from: dataset, &config)
        let progress = ProgressLine("evaluating", total: sequences.count)
        let (readings, unreadable) = try reader.readAll(sequences, progress: progress.advance)
        progress.finish()
        if let outcomes { try RunFolder.write(lines: readings.map(Outcome.init), to: URL(fileURLWithPath: outcomes)) }
        let evaluation = Evaluation(readings, unreadable: unreadable, seenNumbers: card.numbers.isEmpty ? nil : Set(card.numbers))
        if json {
            print(JSON.text(try JSON.readable(evaluation)), terminator: "")
        } else {
            print(table(evaluation, card))
        }
        Console.report(readings.flatMap(\.problems) + unreadable.flatMap(\.problems))
    }

    private func chosen(from dataset: Dataset, _ config: inout DataConfig) throws -> [FrameSequence] {
        if split == "all" { return dataset.sequences }
        guard let part = Splits.Part(rawValue: split) else {
            throw UsageError.unknown(
                "split", split, among: Splits.Part.allCases.map(\.rawValue) + ["all"],
                advice: "there are train, val, test and all")
        }
        let beside = options.weights.map { URL(fileURLWithPath: $0).deletingLastPathComponent().appending(path: "splits.json") }
        guard let url = splits.map({ URL(fileURLWithPath: $0) }) ?? beside,
            splits != nil || FileManager.default.fileExists(atPath: url.path)
        else {
            throw UsageError("there is no splits.json beside the weights; name one with --splits, or use --split all")
        }
        let splits = try Splits(contentsOf: url)
        config.groupPattern = splits.origin?.groupPattern
        config.splitSeed = splits.origin?.seed ?? config.splitSeed
        config.ratios = splits.origin?.ratios ?? config.ratios
        config.heldOutShare = splits.origin?.heldOutShare ?? 0
        do {
            try splits.check(against: dataset, config, path: url.path)
        } catch let error as FileError {
            throw FileError(
                error.path, error.reason, advice: "for other data use --split all, or name their splits with --splits")
        }
        let sequences = splits.sequences(part, of: dataset)
        guard !sequences.isEmpty else { throw FileError(url.path, "leaves no sequences in '\(split)'") }
        return sequences
    }

    private func table(_ evaluation: Evaluation, _ card: Checkpoint.Card) -> String {
        var rows: [[String]] = []
        for (name, group) in [("all", evaluation.all), ("seen numbers", evaluation.seen), ("unseen numbers", evaluation.unseen)] {
            guard let group else { continue }
            rows.append([
                name, "\(group.sequences.number.count)", group.sequences.number.text, group.sequences.tens.text,
                group.sequences.ones.text,
                "\(group.tracks.number.count)", group.tracks.number.text,
            ])
        }
        let table = Table(["", "sequences", "number", "tens", "ones", "tracks", "number"], rows: rows)
        return "\(card.spec.name), split \(split): loss \(String(format: "%.4f", evaluation.loss)), "
            + "\(evaluation.unreadableFiles) unreadable files\n\(table)"
    }
}
