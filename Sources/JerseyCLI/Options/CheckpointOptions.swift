import ArgumentParser
import Foundation
import Jersey

/// Which weight file to read, and how.
struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Weights: a run's best.safetensors, or a .pth checkpoint of the study (default: 'bundled', the bundled model).",
            valueName: "file"))
    var weights: String?

    @Option(help: ArgumentHelp("Model in the weight file, if the file does not say.", valueName: "name"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Encoder in the weight file, if it is not the model's own and the file does not say.",
            valueName: "name"))
    var encoder: String?

    @Flag(help: "Read the weight file as the study did, including its defects, if the file does not say how.")
    var published = false

    /// The weight file; nil for the bundled model.
    var file: String? { weights == Checkpoint.bundledWord ? nil : weights }

    /// The name for the weights in errors and reports.
    var path: String { file ?? Checkpoint.bundledName }

    func validate() throws {
        guard file != nil || (model == nil && encoder == nil && !published) else {
            throw ValidationError(
                "--model, --encoder and --published need a weight file; name it with --weights")
        }
    }

    /// The weights and their card.
    func checkpoint() throws -> Checkpoint {
        guard let file else { return try .bundled() }
        let kind = try encoder.map(EncoderKind.named)
        let spec = try model.map { try ModelSpec.named($0, encoder: kind) }
        if kind != nil && spec == nil { throw UsageError("--encoder needs --model") }
        let checkpoint = try Checkpoint(
            contentsOf: URL(fileURLWithPath: file), spec: spec, published: published)
        if !checkpoint.hasCard && !published && checkpoint.card.spec.notPublished == nil {
            Console.error(
                "note: \(file) does not say how to order frames, so they are read in time order; "
                    + "use --published for the study's order"
            )
        }
        return checkpoint
    }
}
