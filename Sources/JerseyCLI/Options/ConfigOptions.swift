import ArgumentParser
import Jersey
import JerseyLab

/// Settings on the command line: a flag for those that are changed most, and `--set` for every one.
struct ConfigOptions: ParsableArguments {
    @OptionGroup var flags: SettingFlags

    @Option(help: ArgumentHelp("Input size in pixels, height by width, such as 192x96.", valueName: "HxW"))
    var size: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Any setting of the configuration, such as training.labelSmoothing=0.1.", valueName: "key=value"))
    var assignments: [String] = []

    /// What the flags say, for laying over a file and the environment.
    ///
    /// - Throws: `UsageError` for flags that do not go together, or a `--size` or `--set` that is none.
    func overlays() throws -> [ConfigOverlay] {
        var overlays = flags.overlays
        if flags.words["optimizer.rate"] != nil && flags.words["optimizer.rates"] == nil {
            let uniform = OptimizerConfig.Rates.uniform.rawValue
            overlays.append(ConfigOverlay(source: "--rate", settings: ["optimizer.rates": .string(uniform)]))
        }
        if let size {
            let sides = size.lowercased().split(separator: "x").compactMap { Int($0) }
            guard sides.count == 2 else {
                throw UsageError("--size is height x width in pixels, such as 192x96, and not '\(size)'")
            }
            overlays.append(
                ConfigOverlay(source: "--size", settings: ["data.height": .int(sides[0]), "data.width": .int(sides[1])]))
        }
        if flags.isOn("published"), let encoder = flags.words["encoder"], EncoderKind.find(encoder) == .efficientnetLite0 {
            throw UsageError("the study's \(encoder) is EfficientNet-B0; with --published take --encoder efficientnet_b0")
        }
        return overlays + [try ConfigOverlay(assignments: assignments)]
    }
}
