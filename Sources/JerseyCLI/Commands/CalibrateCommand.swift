import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput
import Torch

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Calibrates a model's confidences, and sets the confidence below which it abstains.",
        discussion: """
            Writes a copy of the weights that also holds: a temperature for confidences; the threshold below which `predict` calls a \
            sequence unreadable; the confidence at which --anytime stops; the activation ranges that --precision int8 needs; and, for \
            each precision that is faster on this processor, whether it answers as float32 does, so that --precision automatic may use \
            it. Use data like what the model will read, unseen in training, with sequences without a visible number in unreadable/: a \
            few hundred sequences at least, a thousand is better.

            Example: jersey calibrate --weights runs/small/best.safetensors --data unseen --target 0.98 --out small.safetensors
            """)

    @OptionGroup var options: WeightOptions

    @Option(help: ArgumentHelp("Labelled data set. All of it is read.", valueName: "folder"))
    var data: String

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("Share of answers that should be right (precision).", valueName: "share"))
    var target = 0.98

    @Option(help: ArgumentHelp("Output file for the calibrated weights.", valueName: "file"))
    var out: String

    func validate() throws {
        guard 0.5...1 ~= target else {
            throw ValidationError("--target must be a share from 0.5 to 1, such as 0.98")
        }
        guard [.automatic, .fixed(.float32)].contains(options.compilation.precision) else {
            throw ValidationError(
                "calibration runs in float32, the reference for other precisions; leave out --precision")
        }
    }

    mutating func run() throws {
        options.compilation.arithmetic.precision = .fixed(.float32)
        try AtomicFile.check(out)
        var config = dataOptions.config(path: data)
        config.unreadable = true
        let checkpoint = try options.checkpoint()
        let recognizer = try options.recognizer(of: checkpoint) { $0.isCalibrated = false }
        let reader = recognizer.reader
        var card = recognizer.card
        config.input = card.input
        let observer = RangeObserver()
        let dataset = try Dataset(config)
        let progress = ProgressLine("reading", total: dataset.sequences.count)
        let (readings, traces, unreadable) = try reader.watched(by: Pass(ranges: observer)).readInStages(
            dataset.sequences, progress: progress.advance)
        progress.finish()
        if let layer = observer.broken {
            throw FileError(
                options.source.path, "produces NaN or infinity in \(layer): the weights are corrupt",
                advice: "use an earlier checkpoint or train again")
        }
        let calibration = try ModelCalibration(readings, precision: target)
        for doubt in calibration.doubts(readings) { Console.error("warning: \(doubt)") }
        card.calibration = calibration
        card.activations = observer.ranges
        card.agreements = try agreements(
            readings, recognizer, checkpoint.with(card), calibration, dataset.sequences)
        card.earlyExit = EarlyExit(zip(readings, traces).map { ($0.sequence.number, $1) }, calibration)
        try checkpoint.write(card, to: URL(fileURLWithPath: out))
        Console.print(
            "temperature \(Format.decimal(calibration.temperature, places: 2)), "
                + "threshold \(Format.decimal(calibration.threshold, places: 3)): "
                + "\(Format.percent(calibration.precision, places: 1)) of answers right, "
                + "\(Format.percent(calibration.coverage, places: 1)) of numbers answered, \(calibration.sequences) sequences"
        )
        if let earlyExit = card.earlyExit, earlyExit.stops == nil {
            Console.print(
                "--anytime will read all frames: these sequences do not prove that fewer are enough")
        } else if let earlyExit = card.earlyExit {
            Console.print(
                "--anytime stops at a confidence of \(Format.decimal(earlyExit.confidence, places: 2)): "
                    + "\(Format.percent(earlyExit.frames, places: 0)) of frames, "
                    + "\(Format.percent(earlyExit.accuracy, places: 2)) of numbers right instead of "
                    + Format.percent(earlyExit.fullAccuracy, places: 2))
        }
        for (precision, agreement) in (card.agreements ?? [:]).sorted(by: {
            $0.key.rawValue < $1.key.rawValue
        }) {
            Console.print(
                "\(precision.rawValue) changes \(agreement.changed) of \(agreement.sequences) answers"
                    + (agreement.isProof ? "; --precision automatic uses it where it is faster" : ""))
        }
        Console.report(readings.flatMap(\.problems) + unreadable.flatMap(\.problems))
    }

    /// How many answers change in each precision that is faster on this processor.
    ///
    /// - Parameters:
    ///   - readings: from `recognizer`, in float32, uncalibrated.
    ///   - checkpoint: its card holds the activation ranges.
    private func agreements(
        _ readings: [Reading], _ recognizer: Recognizer, _ checkpoint: Checkpoint,
        _ calibration: ModelCalibration,
        _ sequences: [FrameSequence]
    ) throws -> [Precision: PrecisionAgreement] {
        var agreements: [Precision: PrecisionAgreement] = [:]
        for precision in Precision.fastestFirst where recognizer.reader.model.device == .cpu {
            let other: Recognizer
            do {
                var settings = recognizer.options
                settings.precision = .fixed(precision)
                other = try Recognizer(
                    checkpoint, path: options.source.path, options: settings, loader: recognizer.reader.loader
                )
            } catch let error as UsageError {
                Console.error("note: \(precision.rawValue) was not measured: \(error.message)")
                continue
            }
            let progress = ProgressLine("reading in \(precision.rawValue)", total: sequences.count)
            let others = try other.reader.readAll(sequences, progress: progress.advance).0
            progress.finish()
            guard others.count == readings.count else {
                Console.error("note: \(precision.rawValue) was not measured: it produces NaN or infinity")
                continue
            }
            agreements[precision] = PrecisionAgreement(readings, others, calibration)
        }
        return agreements
    }
}
