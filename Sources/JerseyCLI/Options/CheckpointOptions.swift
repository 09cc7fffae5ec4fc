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

    @Option(
        help: ArgumentHelp(
            "Height x width of the frames that the model reads, if the weight file does not say, such as 192x96.",
            valueName: "hxw"))
    var frameSize: String?

    @Flag(help: "Read the weight file as the study did, including its defects, if the file does not say how.")
    var published = false

    /// The weight file; nil for the bundled model.
    var file: String? { weights == Checkpoint.bundledWord ? nil : weights }

    /// The name for the weights in errors and reports.
    var path: String { file ?? Checkpoint.bundledName }

    func validate() throws {
        guard file != nil || (model == nil && encoder == nil && frameSize == nil && !published) else {
            throw ValidationError(
                "--model, --encoder, --frame-size and --published need a weight file; name it with --weights")
        }
    }

    /// The weights and their card.
    func checkpoint() throws -> Checkpoint {
        guard let file else { return try .bundled() }
        let kind = try encoder.map(EncoderKind.named)
        let spec = try model.map { try ModelSpec.named($0, encoder: kind) }
        if kind != nil && spec == nil { throw UsageError("--encoder needs --model") }
        var checkpoint = try Checkpoint(
            contentsOf: URL(fileURLWithPath: file), spec: spec, published: published)
        if let frameSize {
            let sides = frameSize.lowercased().split(separator: "x").compactMap { Int($0) }
            guard sides.count == 2, sides.allSatisfy(FramePreprocessor.sides.contains) else {
                throw UsageError(
                    "--frame-size must be height x width in pixels, such as 192x96, not '\(frameSize)'")
            }
            guard
                !checkpoint.tellsSize
                    || (checkpoint.card.height, checkpoint.card.width) == (sides[0], sides[1])
            else {
                throw UsageError(
                    "\(file) says that its frames are \(checkpoint.card.height)x\(checkpoint.card.width); leave out --frame-size"
                )
            }
            var card = checkpoint.card
            (card.height, card.width) = (sides[0], sides[1])
            checkpoint = checkpoint.with(card)
        } else if !checkpoint.tellsSize && !published {
            throw UsageError(
                "\(file) does not say at which size its model reads frames; name it with --frame-size, such as 192x96, the study's"
            )
        }
        if !checkpoint.hasCard && !published && checkpoint.card.spec.notPublished == nil {
            Console.error(
                "note: \(file) does not say how to order frames, so they are read in time order; "
                    + "use --published for the study's order"
            )
        }
        return checkpoint
    }
}
