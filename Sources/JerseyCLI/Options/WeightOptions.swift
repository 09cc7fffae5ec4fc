import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

/// Which model to read with, and how.
struct WeightOptions: ParsableArguments {
    @OptionGroup var source: CheckpointOptions

    @Option(help: ArgumentHelp("Sequences that are read at once.", valueName: "n"))
    var batchSize = 16

    @Option(help: ArgumentHelp("Threads that decode frames.", valueName: "n"))
    var workers = 2

    @OptionGroup var compute: ComputeOptions

    @OptionGroup var compilation: CompilationOptions

    @Flag(help: "Stop at the first unreadable image instead of leaving it out.")
    var strict = false

    func validate() throws {
        guard (1...4096).contains(batchSize) else { throw ValidationError("--batch-size must be 1...4096") }
        guard (1...256).contains(workers) else { throw ValidationError("--workers must be 1...256") }
    }

    /// The model, ready to read.
    ///
    /// - Parameters:
    ///   - given: the weights, where they have been read already.
    ///   - singleFrame: what a model of single frames reads.
    func reader(of given: Checkpoint? = nil, singleFrame: SequenceLoader.SingleFrame) throws -> (SequenceReader, Checkpoint.Card)
    {
        let device = try compute.begin()
        let checkpoint = try given ?? checkpoint()
        let path = source.path
        let model = try checkpoint.model(on: device, path: path)
        let card = checkpoint.card
        try compilation.apply(to: model, card)
        var loader = try SequenceLoader(checkpoint, singleFrame: singleFrame, path: path)
        loader.strict = strict
        var reader = SequenceReader(model: model, loader: loader, batchSize: batchSize, workers: workers)
        reader.calibration = card.calibration
        return (reader, card)
    }

    /// The weight file; nil for the bundled model.
    var file: String? { source.file }

    /// The weights and what is known of them.
    func checkpoint() throws -> Checkpoint { try source.checkpoint() }
}

extension TrainingConfig.Precision: ExpressibleByArgument {}
extension TrainingConfig.Balance: ExpressibleByArgument {}
extension OptimizerConfig.Rates: ExpressibleByArgument {}
extension OptimizerConfig.Scheduler: ExpressibleByArgument {}
