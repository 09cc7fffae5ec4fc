import ArgumentParser
import Foundation
import Jersey
import JerseyExport
import JerseyOutput

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Exports a model for other programs.",
        discussion: """
            Formats:
            \(ExportFormat.lines)

            torchscript and onnx files take uint8 pixels, resized to the model's input size, for any number of sequences and frames, and \
            return logits. docs/guides/export.md explains how to read them.

            Example: jersey export --weights runs/first/best.safetensors --format onnx --out jersey.onnx
            """)

    @OptionGroup var source: CheckpointOptions

    @Option(help: ArgumentHelp("One of the formats above.", valueName: "name"))
    var format: String

    @Option(help: ArgumentHelp("Output file.", valueName: "file"))
    var out: String

    @Flag(help: "Store weights in float16, at half the size (safetensors only).")
    var float16 = false

    func run() throws {
        let format = try ExportFormat.named(format)
        let checkpoint = try source.checkpoint()
        let model = try checkpoint.model(on: .cpu, path: source.path)
        let url = URL(fileURLWithPath: out)
        try format.write(model, checkpoint.card, finder: checkpoint.finder, half: float16, to: url)
        let card = checkpoint.card
        Console.print("\(out): \(card.spec.title), frames of \(card.height)x\(card.width)")
    }
}
