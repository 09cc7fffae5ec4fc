import Foundation
import Jersey
import Torch

/// A file format for models that other programs read.
package struct ExportFormat: Sendable, Catalogued {
    package static let kind = "format"

    package let name: String
    package let summary: String
    /// Whether weights may be written in float16.
    package let allowsHalf: Bool
    private let write:
        @Sendable (JerseyModel, Checkpoint.Card, _ finder: [String: Tensor], _ half: Bool, URL) throws -> Void

    /// All formats. `jersey export` and the tests read this list.
    package static let all: [ExportFormat] = [.safetensors, .pth, .torchscript, .onnx]

    /// Writes a model's file, whole or not at all.
    ///
    /// - Parameters:
    ///   - model: on the CPU.
    ///   - finder: the weights of its finder, which only safetensors files hold.
    ///   - half: weights in float16.
    /// - Throws: `UsageError` if the format has no float16, or a weight does not fit into it;
    ///   `FileError` if the file cannot be written.
    package func write(
        _ model: JerseyModel, _ card: Checkpoint.Card, finder: [String: Tensor] = [:], half: Bool = false,
        to url: URL
    ) throws {
        guard allowsHalf || !half else {
            let others = Self.all.filter(\.allowsHalf).map(\.name).joined(separator: ", ")
            throw UsageError("\(name) files hold only float32; use \(others) for float16")
        }
        try write(model, card, finder, half, url)
    }

    private static func text(_ card: Checkpoint.Card) throws -> String { JSON.text(try JSON.line(card)) }
}

// MARK: - The formats

extension ExportFormat {
    static let safetensors = ExportFormat(
        name: "safetensors", summary: "weights and card, for jersey and other safetensors readers",
        allowsHalf: true
    ) { model, card, finder, half, url in
        try Checkpoint.write(model, card, finder: finder, half: half, to: url)
    }

    static let pth = ExportFormat(
        name: "pth", summary: "a checkpoint for the study's PyTorch code", allowsHalf: false
    ) { model, card, _, _, url in
        let tensors = model.store.entries.map { ($0.name, $0.tensor) }
        try AtomicFile.write(PthFile.data(tensors, extra: (Checkpoint.cardKey, text(card))), to: url)
    }

    static let torchscript = ExportFormat(
        name: "torchscript", summary: "the whole network, for torch.jit.load in Python and C++",
        allowsHalf: false
    ) { model, card, _, _, url in
        let file = try TorchScriptFile(Network(model, card))
        try AtomicFile.write(file.module.data(extra: (Checkpoint.cardKey, text(card))), to: url)
    }

    static let onnx = ExportFormat(
        name: "onnx", summary: "the whole network, for ONNX Runtime, OpenVINO and others", allowsHalf: false
    ) { model, card, _, _, url in
        let file = try ONNXFile(Network(model, card), metadata: [Checkpoint.cardKey: text(card)])
        try AtomicFile.write(file.data, to: url)
    }
}
