import ArgumentParser

/// How often answers should be right.
struct TargetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Share of answers that should be right; where they would be right less often, by the calibration in the weight file, there \
            is none (default: the share that the file was calibrated for; 0.98 in the bundled model).
            """, valueName: "share"))
    var target: Double?

    func validate() throws {
        guard target.map({ 0.5...1 ~= $0 }) ?? true else {
            throw ValidationError("--target must be a share from 0.5 to 1, such as 0.98")
        }
    }
}
