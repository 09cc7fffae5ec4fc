import ArgumentParser
import Foundation
import Jersey
import JerseyExport
import JerseyOutput

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a model as a file for other programs.",
        discussion: """
            Formats:
            \(ExportFormat.lines)

            torchscript and onnx files take pixels as they are, uint8, fitted into the model's input size, any number of sequences and \
            of frames, and give logits. docs/guides/export.md tells how each is read.

            Example: jersey export --weights runs/first/best.safetensors --format onnx --out jersey.onnx
            """)

    @OptionGroup var source: CheckpointOptions

    @Option(help: ArgumentHelp("One of the above.", valueName: "name"))
    var format: String

    @Option(help: ArgumentHelp("Where it goes.", valueName: "file"))
    var out: String

    @Flag(help: "Write weights in float16, in half the space (safetensors).")
    var float16 = false

    func run() throws {
        let format = try ExportFormat.named(format)
        let checkpoint = try source.checkpoint()
        let model = try checkpoint.model(on: .cpu, path: source.path)
        let url = URL(fileURLWithPath: out)
        try format.write(model, checkpoint.card, half: float16, to: url)
        let card = checkpoint.card
        Console.print("\(out): \(card.spec.title), frames of \(card.height)x\(card.width)")
    }
}
