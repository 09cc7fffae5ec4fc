import ArgumentParser
import Jersey
import JerseyLab

/// Settings on the command line: flags for the most common ones, `--set` for all.
struct ConfigOptions: ParsableArguments {
    @OptionGroup var flags: SettingFlags

    @Option(help: ArgumentHelp("Input size in pixels, height by width, such as 192x96.", valueName: "HxW"))
    var size: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Set any setting, such as training.labelSmoothing=0.1.", valueName: "key=value"))
    var assignments: [String] = []

    /// The flags as overlays over the configuration file and the environment.
    ///
    /// - Throws: `UsageError` for flags that contradict each other, or an invalid `--size` or
    ///   `--set`.
    func overlays() throws -> [ConfigOverlay] {
        var overlays = flags.overlays
        if flags.words["optimizer.rate"] != nil && flags.words["optimizer.rates"] == nil {
            let uniform = OptimizerConfig.Rates.uniform.rawValue
            overlays.append(ConfigOverlay(source: "--rate", settings: ["optimizer.rates": .string(uniform)]))
        }
        if let size {
            let sides = size.lowercased().split(separator: "x").compactMap { Int($0) }
            guard sides.count == 2 else {
                throw UsageError("--size must be height x width in pixels, such as 192x96, not '\(size)'")
            }
            overlays.append(
                ConfigOverlay(
                    source: "--size", settings: ["data.height": .int(sides[0]), "data.width": .int(sides[1])])
            )
        }
        if flags.isOn("published"), let encoder = flags.words["encoder"],
            EncoderKind.find(encoder) == .efficientnetLite0
        {
            throw UsageError(
                "the study's \(encoder) is EfficientNet-B0; with --published use --encoder efficientnet_b0")
        }
        return overlays + [try ConfigOverlay(assignments: assignments)]
    }
}
