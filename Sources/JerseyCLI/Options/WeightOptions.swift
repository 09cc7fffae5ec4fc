import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

/// Which model to read with, and how.
struct WeightOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Weights: best.safetensors of a run, or a .pth checkpoint of the study; the bundled model where not given.",
            valueName: "file"))
    var weights: String?

    @Option(help: ArgumentHelp("Model in the weight file, where the file does not say.", valueName: "name"))
    var model: String?

    @Option(help: ArgumentHelp("Another encoder than the model's own, where the file does not say.", valueName: "name"))
    var encoder: String?

    @Option(help: ArgumentHelp("Sequences that are read at once.", valueName: "n"))
    var batchSize = 16

    @Option(help: ArgumentHelp("Threads that decode frames.", valueName: "n"))
    var workers = 2

    @Option(help: ArgumentHelp("Threads of libtorch.", valueName: "n"))
    var threads: Int?

    @Option(help: "Where to compute.")
    var device = TrainingConfig.DeviceChoice.automatic

    @OptionGroup var compilation: CompilationOptions

    @Flag(help: "Stop at the first unreadable image instead of leaving it out.")
    var strict = false

    func validate() throws {
        guard (1...4096).contains(batchSize) else { throw ValidationError("--batch-size must be 1...4096") }
        guard (1...256).contains(workers) else { throw ValidationError("--workers must be 1...256") }
        guard weights != nil || (model == nil && encoder == nil) else {
            throw ValidationError("--model and --encoder say what is in a weight file; name it with --weights")
        }
        guard threads.map({ (1...1024).contains($0) }) ?? true else { throw ValidationError("--threads must be 1...1024") }
    }

    /// The model, ready to read.
    ///
    /// - Parameters:
    ///   - given: the weights, where they have been read already.
    ///   - singleFrame: what a model of single frames reads.
    func reader(of given: Checkpoint? = nil, singleFrame: SequenceLoader.SingleFrame) throws -> (SequenceReader, Checkpoint.Card)
    {
        if let threads { Runtime.threads = threads }
        let checkpoint = try given ?? checkpoint()
        let model = try checkpoint.model(on: device.resolved(), path: weights ?? Checkpoint.bundledName)
        try compilation.apply(to: model)
        let card = checkpoint.card
        var loader = SequenceLoader(card, singleFrame: singleFrame)
        loader.strict = strict
        var reader = SequenceReader(model: model, loader: loader, batchSize: batchSize, workers: workers)
        reader.calibration = card.calibration
        return (reader, card)
    }

    /// The weights and what is known of them.
    func checkpoint() throws -> Checkpoint {
        guard let weights else { return try .bundled() }
        let kind = try encoder.map(EncoderKind.named)
        let spec = try model.map { try ModelSpec.named($0, encoder: kind) }
        if kind != nil && spec == nil { throw UsageError("--encoder needs --model") }
        return try Checkpoint(contentsOf: URL(fileURLWithPath: weights), spec: spec)
    }
}

extension TrainingConfig.DeviceChoice: ExpressibleByArgument {}
extension TrainingConfig.Precision: ExpressibleByArgument {}
extension TrainingConfig.Balance: ExpressibleByArgument {}
extension OptimizerConfig.Rates: ExpressibleByArgument {}
extension OptimizerConfig.Scheduler: ExpressibleByArgument {}

extension EncoderKind {
    /// - Throws: `UsageError` with close matches.
    static func named(_ name: String) throws -> EncoderKind {
        guard let kind = EncoderKind(named: name) else {
            throw UsageError.unknown(
                "encoder", name, among: allCases.map(\.rawValue),
                advice: "there are: \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return kind
    }
}
