import ArgumentParser
import Foundation
import Jersey

/// Flags for the settings that are changed most; `--set` reaches every other.
struct ConfigOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Model to train; `jersey models` lists them.", valueName: "name"))
    var model: String?

    @Option(help: ArgumentHelp("Another encoder than the model's own.", valueName: "name"))
    var encoder: String?

    @Option(help: ArgumentHelp("Weights that the encoder starts from (.pth or safetensors).", valueName: "file"))
    var pretrained: String?

    @Option(
        help: ArgumentHelp(
            "Weights of the same model that all of it starts from, to be tuned to other data; 'bundled' are the bundled model's.",
            valueName: "file"))
    var startFrom: String?

    @Option(help: ArgumentHelp("Data set, a folder or an archive of one.", valueName: "folder"))
    var data: String?

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("Input size in pixels, height by width, such as 192x96.", valueName: "HxW"))
    var size: String?

    @Option(help: ArgumentHelp("Frames of a sequence at most.", valueName: "n"))
    var frames: Int?

    @Option(
        help: ArgumentHelp(
            "Split to use, and where a new one is kept; splits.json in the run folder where not given.", valueName: "file"))
    var splits: String?

    @Option(
        help: ArgumentHelp(
            "Regular expression on the track id; tracks with the same match (or captures) are kept on one side of the split.",
            valueName: "regex"))
    var groupPattern: String?

    @Option(help: ArgumentHelp("Seed of weights, order and augmentation.", valueName: "n"))
    var seed: Int?

    @Option(help: ArgumentHelp("Epochs.", valueName: "n"))
    var epochs: Int?

    @Option(help: ArgumentHelp("Sequences in a batch.", valueName: "n"))
    var batchSize: Int?

    @Option(help: ArgumentHelp("One learning rate for everything, instead of the model's own scheme.", valueName: "rate"))
    var rate: Double?

    @Option(help: "Learning rates.")
    var rates: OptimizerConfig.Rates?

    @Option(help: "Schedule.")
    var scheduler: OptimizerConfig.Scheduler?

    @Option(help: ArgumentHelp("Epochs without a better validation loss before stopping.", valueName: "n"))
    var patience: Int?

    @Option(help: "Arithmetic.")
    var precision: TrainingConfig.Precision?

    @Option(help: "Where to compute.")
    var device: TrainingConfig.DeviceChoice?

    @Option(help: ArgumentHelp("Threads that decode and augment.", valueName: "n"))
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "Threads of libtorch (default: one on each core); fewer where other programs want the cores.", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("Megabytes of decoded frames to keep in memory.", valueName: "n"))
    var cache: Int?

    @Flag(help: "Do as the study did, its defects included.")
    var published = false

    @Flag(help: "No augmentation.")
    var plain = false

    @Flag(help: "Stop at the first unreadable image instead of leaving it out.")
    var strict = false

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Any setting of the configuration, such as training.labelSmoothing=0.1.", valueName: "key=value"))
    var assignments: [String] = []

    /// What the flags say, for laying over a file and the environment.
    func overlays() throws -> [ConfigOverlay] {
        var settings: [String: ConfigTree] = [:]
        func set(_ key: String, _ value: String?) { if let value { settings[key] = .string(value) } }
        func set(_ key: String, _ value: Int?) { if let value { settings[key] = .int(value) } }
        set("model", model)
        set("encoder", try encoder.map { try EncoderKind.named($0).rawValue })
        set("pretrained", pretrained)
        set("startFrom", startFrom)
        set("data.path", data)
        set("data.format", dataOptions.format)
        set("data.maximumFrames", frames)
        set("data.splits", splits)
        set("data.groupPattern", groupPattern)
        set("data.workers", workers)
        set("data.cacheMegabytes", cache)
        set("training.epochs", epochs)
        set("training.batchSize", batchSize)
        set("training.patience", patience)
        set("training.threads", threads)
        set("training.precision", precision?.rawValue)
        set("training.device", device?.rawValue)
        set("optimizer.rates", rates?.rawValue)
        set("optimizer.scheduler", scheduler?.rawValue)
        set("seed", seed)
        if let rate {
            settings["optimizer.rate"] = .number(rate)
            if rates == nil { settings["optimizer.rates"] = .string(OptimizerConfig.Rates.uniform.rawValue) }
        }
        if let numbers = dataOptions.numbers { settings["data.classes"] = .list(numbers.map { .string($0) }) }
        if let size {
            let sides = size.lowercased().split(separator: "x").compactMap { Int($0) }
            guard sides.count == 2 else {
                throw UsageError("--size is height x width in pixels, such as 192x96, and not '\(size)'")
            }
            set("data.height", sides[0])
            set("data.width", sides[1])
        }
        if published {
            settings["published"] = .bool(true)
            guard try encoder.map(EncoderKind.named) != .efficientnetLite0 else {
                throw UsageError(
                    "the study's \(encoder ?? "") is EfficientNet-B0; with --published take --encoder efficientnet_b0")
            }
        }
        if plain { settings["augmentation.enabled"] = .bool(false) }
        if strict { settings["data.strict"] = .bool(true) }
        return [ConfigOverlay(source: "the command line", settings: settings), try ConfigOverlay(assignments: assignments)]
    }
}
