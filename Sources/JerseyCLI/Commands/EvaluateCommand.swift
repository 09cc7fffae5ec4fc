import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures accuracy on a labelled data set.",
        discussion: """
            Accuracies come with Wilson's 95% interval. A track's number is that of the summed log-probabilities of its sequences. Seen \
            numbers are those that occurred in training, as recorded in the weight file.

            Example: jersey evaluate --weights runs/luong/best.safetensors --data crops

            Example, with the bundled model: jersey evaluate --data crops
            """)

    @OptionGroup var options: WeightOptions

    @OptionGroup var answering: TargetOptions

    @OptionGroup var stopping: AnytimeOptions

    @Option(help: ArgumentHelp("Labelled data set: a folder or an archive.", valueName: "folder"))
    var data: String

    @OptionGroup var dataOptions: DataOptions

    @OptionGroup var splitOptions: SplitOptions

    @Option(help: ArgumentHelp("Write one line of JSON for each sequence.", valueName: "file"))
    var outcomes: String?

    @Option(
        help: ArgumentHelp(
            """
            Also draw how often answers are right at which confidence (SVG), and print it by number of frames. Sequences without a \
            visible number, in unreadable/, are read for this; any answer there is wrong.
            """, valueName: "file"))
    var reliability: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try outcomes.map { try AtomicFile.check($0, unlike: [options.file].compactMap { $0 }) }
        try reliability.map { try AtomicFile.check($0, unlike: [options.file, outcomes].compactMap { $0 }) }
        let recognizer = try options.recognizer {
            $0.singleFrame = .anchor
            $0.target = answering.target
            $0.earlyExit = stopping.anytime
        }
        let (reader, card) = (recognizer.reader, recognizer.card)
        var config = dataOptions.config(path: data)
        config.unreadable = config.unreadable || reliability != nil
        let sequences = try splitOptions.sequences(config, for: card, weights: options.file)
        let progress = ProgressLine("evaluating", total: sequences.count)
        let (readings, unreadable) = try reader.readAll(sequences, progress: progress.advance)
        progress.finish()
        if let outcomes {
            try RunFolder.write(lines: readings.map(Outcome.init), to: URL(fileURLWithPath: outcomes))
        }
        let evaluation = Evaluation(
            readings, unreadable: unreadable, seenNumbers: card.numbers.isEmpty ? nil : Set(card.numbers))
        if json {
            Console.printExactly(JSON.text(try JSON.output(evaluation)))
        } else {
            show(evaluation, card)
            if reader.earlyExit != nil {
                let read = readings.reduce(0) { $0 + $1.used.count }
                let all = readings.reduce(0) { $0 + reader.loader.frameCount(of: $1.sequence) }
                Console.print("read \(read) of \(all) frames")
            }
        }
        if let reliability {
            let measured = Reliability(readings, reader.calibration)
            if !json { Console.print(measured.table) }
            try AtomicFile.write(Data(measured.chart.svg().utf8), to: URL(fileURLWithPath: reliability))
        }
        Console.report(readings.flatMap(\.problems) + unreadable.flatMap(\.problems))
    }

    private func show(_ evaluation: Evaluation, _ card: Checkpoint.Card) {
        var rows: [[String]] = []
        for (name, group) in [
            ("all", evaluation.all), ("seen numbers", evaluation.seen), ("unseen numbers", evaluation.unseen),
        ] {
            guard let group else { continue }
            rows.append([
                name, "\(group.sequences.number.count)", group.sequences.number.text,
                group.sequences.tens.text,
                group.sequences.ones.text,
                "\(group.tracks.number.count)", group.tracks.number.text,
            ])
        }
        let table = Table(["", "sequences", "number", "tens", "ones", "tracks", "number"], rows: rows)
        Console.print(
            "\(card.spec.title), split \(splitOptions.part(for: options.file)): loss \(Format.decimal(evaluation.loss, places: 4)), "
                + "\(evaluation.unreadableFiles) unreadable files")
        Console.print(table)
    }
}
