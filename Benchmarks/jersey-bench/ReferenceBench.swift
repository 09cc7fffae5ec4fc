import ArgumentParser
import Foundation
import Jersey
import Torch

/// jersey's side of `export_check.py`: weights, frames and reference results.
struct ReferenceBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference",
        abstract:
            "Writes a model's weights, batches of random frames, and the eager model's results for them, as safetensors."
    )

    @Option(help: "A model, which gets random weights, or 'bundled'.") var model: String
    @Option var seed: UInt64 = 1
    @Option(help: "Frame height for models with random weights.") var height = 64
    @Option var width = 48
    @Option(help: "Read the same frames with the weights in this file, instead of making some.") var weights:
        String?
    @Option(help: "Output folder for weights.safetensors and reference.safetensors.") var out: String

    /// Lengths of the sequences of each batch: each length alone, then in pairs, then mixed.
    private static let batches: [[Int]] =
        (1...16).map { [$0] } + (1...8).map { [$0, 17 - $0] }
        + [[16, 1, 9, 3, 12, 7, 2], [4, 15, 6, 8, 10, 11, 13], [14, 5, 5, 14, 1, 1, 2]]

    func run() throws {
        let folder = URL(fileURLWithPath: out)
        try FileManager.default.makeFolder(folder)
        let (network, card) = try weights.map(read) ?? prepared()
        if weights == nil {
            try Checkpoint.write(network, card, to: folder.appendingPathComponent("weights.safetensors"))
        }
        var tensors: [String: Tensor] = [:]
        // Single frames are rows of a batch.
        let batches =
            network.spec.readsAnchorOnly ? [1, 2, 7].map { Array(repeating: 1, count: $0) } : Self.batches
        for (index, lengths) in batches.enumerated() {
            for (name, tensor) in results(of: network, card, lengths, seed: seed &+ UInt64(index)) {
                tensors["\(index).\(name)"] = tensor.contiguous()
            }
        }
        try Safetensors(tensors: tensors).write(to: folder.appendingPathComponent("reference.safetensors"))
    }

    private func read(_ path: String) throws -> (JerseyModel, Checkpoint.Card) {
        try network(of: Checkpoint(contentsOf: URL(fileURLWithPath: path)), path: path)
    }

    private func network(of checkpoint: Checkpoint, path: String) throws -> (JerseyModel, Checkpoint.Card) {
        (try checkpoint.model(on: .cpu, path: path), checkpoint.card)
    }

    /// A model in which every weight and statistic matters.
    private func prepared() throws -> (JerseyModel, Checkpoint.Card) {
        if model == "bundled" { return try network(of: .bundled(), path: Checkpoint.bundledName) }
        var card = Checkpoint.Card(spec: try ModelSpec.named(model))
        card.height = height
        card.width = width
        let network = JerseyModel(card.spec, seed: seed)
        // The norms have a small momentum, so their statistics need some passes to settle.
        let seen = Tensor.normal([8, 3, height, width], mean: 0.3, deviation: 1.5, seed: seed)
        let pass = Pass.training(seed: 0)
        withoutGradients { for _ in 0..<40 { _ = network.maps(seen, pass) } }
        for entry in network.store.trainable where entry.tensor.shape.count == 1 {
            let noise = Tensor.normal(entry.tensor.shape, deviation: 0.1, seed: fnv1a(entry.name))
            entry.tensor.copy(from: entry.tensor.detached() + noise)
        }
        return (network, card)
    }

    /// Frames for an exported model, with noise after the end of shorter sequences, and the
    /// results.
    private func results(
        of network: JerseyModel, _ card: Checkpoint.Card, _ lengths: [Int], seed: UInt64
    ) -> [String: Tensor] {
        let longest = lengths.max() ?? 0
        let shape = [lengths.count, longest, card.height, card.width, 3]
        let frames = Tensor.uniform(shape, 0...255.99, seed: seed).to(dtype: .uint8)
        let valid = Tensor.concatenated(
            lengths.enumerated().map { frames.selected(0, at: $0).narrowed(0, to: 0..<$1) }, over: 0)
        let output = withoutGradients {
            network(FramePreprocessor.normalized(valid, on: .cpu), lengths: lengths)
        }
        var results = ["tens": output.tens, "ones": output.ones]
        if network.spec.readsAnchorOnly {
            results["frames"] = valid
        } else {
            results["frames"] = frames
            results["lengths"] = Tensor(lengths.map(Int64.init))
        }
        if network.spec.pooling != .mean { results["attention"] = output.attention }
        return results
    }
}
