import ArgumentParser
import Foundation
import Jersey

/// Which weight file, and what is in it.
struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Weights: best.safetensors of a run, or a .pth checkpoint of the study; 'bundled', or none, is the bundled model.",
            valueName: "file"))
    var weights: String?

    @Option(help: ArgumentHelp("Model in the weight file, where the file does not say.", valueName: "name"))
    var model: String?

    @Option(help: ArgumentHelp("Another encoder than the model's own, where the file does not say.", valueName: "name"))
    var encoder: String?

    @Flag(help: "Read the weight file as the study read its own, defects included, where the file does not say.")
    var published = false

    /// The weight file; nil for the bundled model.
    var file: String? { weights == Checkpoint.bundledWord ? nil : weights }

    /// What errors and reports call the weights.
    var path: String { file ?? Checkpoint.bundledName }

    func validate() throws {
        guard file != nil || (model == nil && encoder == nil && !published) else {
            throw ValidationError("--model, --encoder and --published tell of a weight file; name it with --weights")
        }
    }

    /// The weights and what is known of them.
    func checkpoint() throws -> Checkpoint {
        guard let file else { return try .bundled() }
        let kind = try encoder.map(EncoderKind.named)
        let spec = try model.map { try ModelSpec.named($0, encoder: kind) }
        if kind != nil && spec == nil { throw UsageError("--encoder needs --model") }
        let checkpoint = try Checkpoint(contentsOf: URL(fileURLWithPath: file), spec: spec, published: published)
        if !checkpoint.hasCard && !published && checkpoint.card.spec.notPublished == nil {
            Console.error(
                "note: \(file) does not say how it is read; frames are taken in time order, and --published takes them as the study did"
            )
        }
        return checkpoint
    }
}
