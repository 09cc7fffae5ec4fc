import Foundation
import Jersey
import Torch

@testable import JerseyExport

/// A model for frames of 40×32 in which every weight and statistic affects the result.
func drawn(_ spec: ModelSpec) -> (JerseyModel, Checkpoint.Card) {
    let model = JerseyModel(spec, seed: 7)
    for entry in model.store.entries where entry.tensor.shape.count == 1 {
        let noise = Tensor.uniform(entry.tensor.shape, -0.3...0.3, seed: fnv1a(entry.name))
        entry.tensor.copy(from: entry.tensor.detached() + noise)
    }
    var card = Checkpoint.Card(spec: spec)
    (card.height, card.width) = (40, 32)
    return (model, card)
}

/// The largest difference, as a share of the largest value.
func difference(_ a: Tensor, _ b: Tensor) -> Float {
    guard a.shape == b.shape else { return .infinity }
    return zip(a.floats, b.floats).map { abs($0 - $1) }.max()! / b.floats.map(abs).max()!
}

/// Every kind of network that a file can hold: all models, and models with other encoders and
/// heads.
let everySpec: [ModelSpec] =
    ModelSpec.all
    + EncoderKind.allCases.compactMap { try? ModelSpec.named("attn_bgru_luong", encoder: $0) }
    + ["basic_mv3s", "seq_ugru_fs", "evidence_tied"].compactMap { name in
        var spec = try? ModelSpec.named(name, encoder: .compact)
        spec?.hasFullHead = true
        return spec
    }
    + ["attn_bgru_luong", "seq_ulstm_fs", "attn_ugru_hc"].compactMap {
        try? ModelSpec.named($0, encoder: .compact, hidden: 24)
    }
