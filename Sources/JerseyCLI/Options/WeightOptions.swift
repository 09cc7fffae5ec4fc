import ArgumentParser
import Foundation
import Jersey

/// Which model to read with, and how.
struct WeightOptions: ParsableArguments {
    @OptionGroup var source: CheckpointOptions

    @Option(help: ArgumentHelp("Sequences in a batch.", valueName: "n"))
    var batchSize = 16

    @OptionGroup var decoding: WorkerOptions

    @OptionGroup var compute: ComputeOptions

    @OptionGroup var compilation: CompilationOptions

    @Flag(help: "Stop at the first unreadable image instead of skipping it.")
    var strict = false

    func validate() throws {
        try BatchLoader.batchLimits.check(batchSize, "--batch-size")
    }

    /// The recognizer, ready to use.
    ///
    /// - Parameters:
    ///   - given: the weights, if they are loaded already.
    ///   - change: adds the command's own options.
    func recognizer(
        of given: Checkpoint? = nil, _ change: (inout Recognizer.Options) -> Void = { _ in }
    ) throws -> Recognizer {
        var options = Recognizer.Options()
        options.device = try compute.begin()
        compilation.apply(to: &options)
        options.batchSize = batchSize
        options.workers = decoding.workers
        options.isStrict = strict
        change(&options)
        return try Recognizer(given ?? checkpoint(), path: source.path, options: options)
    }

    /// The weight file; nil for the bundled model.
    var file: String? { source.file }

    /// The weights and their card.
    func checkpoint() throws -> Checkpoint { try source.checkpoint() }
}
