import Torch

extension ModelSpec {
    /// How the states of all frames become one vector; `summary` describes each case.
    ///
    /// This file has everything about a pooling except its exported form (`Network.pool`).
    package enum Pooling: Codable, Sendable, Hashable {
        case mean
        case final
        case additive(width: Int = 128)
        case dotProduct(width: Int = 128)
        case gate(width: Int = 64)
        case topK(count: Int = 3, width: Int = 64)
    }
}

extension ModelSpec.Pooling: Catalogued {
    package static let all: [Self] = [.mean, .final, .additive(), .dotProduct(), .gate(), .topK()]
    package static let kind = "pooling"

    package var name: String {
        switch self {
        case .mean: "mean"
        case .final: "final state"
        case .additive: "additive attention"
        case .dotProduct: "dot-product attention"
        case .gate: "gated attention"
        case .topK(let count, _): "top-\(count) attention"
        }
    }

    package var summary: String {
        switch self {
        case .mean: "the mean of the states of all frames"
        case .final: "the state after the last frame"
        case .additive: "Bahdanau et al. 2015"
        case .dotProduct: "Luong et al. 2015, scaled by 1/√width"
        case .gate: "a small network scores each frame by itself"
        case .topK(let count, _):
            "a softmax over scores of which only the \(count) largest are kept; the study's \"hard-concrete\""
        }
    }

    /// Shown in its box of a diagram. α are the weights of the frames, h their states.
    package var symbol: String {
        switch self {
        case .mean: "mean"
        case .final: "last"
        case .additive, .dotProduct, .gate, .topK: "Σ α h"
        }
    }

    /// Shown beside the box.
    package var formula: String {
        switch self {
        case .mean: "mean of all states"
        case .final: "the state after the last frame"
        case .additive: "α: softmax of v tanh(W q + U h), where q is the last state"
        case .dotProduct(let width): "α: softmax of (W q)·(U h) / √\(width), where q is the last state"
        case .gate: "α: softmax of a small network's score of each h"
        case .topK(let count, _):
            "α: softmax of a small network's score of each h, keeping the \(count) largest"
        }
    }
}

extension ModelSpec.Pooling {
    /// Whether the weights of the states are learned.
    package var isAttention: Bool {
        switch self {
        case .mean, .final: false
        case .additive, .dotProduct, .gate, .topK: true
        }
    }

    func make(_ scope: Scope, width: Int, published: Bool) -> any TemporalPooling {
        switch self {
        case .mean: MeanPooling()
        case .final: FinalPooling()
        case .additive(let inner): AdditivePooling(scope, width, inner)
        case .dotProduct(let inner): DotProductPooling(scope, width, inner)
        case .gate(let inner): GatePooling(scope, width, inner)
        case .topK(let count, let inner): TopKPooling(scope, width, inner, count: count, published: published)
        }
    }

    /// Whether weights with these shapes, by name, are of a model with this pooling.
    func isTold(by shapes: [String: [Int]]) -> Bool {
        func has(_ name: String) -> Bool { shapes[name] != nil }
        return switch self {
        // Models with attention have another name for the recurrent layer.
        case .mean, .final: !has("gru.weight_hh_l0") && !has("fc_readability.weight")
        case .additive: has("attn_score.weight")
        case .dotProduct: has("attn_query.weight") && !has("attn_score.weight")
        case .gate: has("gate_mlp.0.weight")
        case .topK: has("score_mlp.0.weight")
        }
    }
}

/// Turns the states of a sequence into one vector, with a weight for every frame if the pooling has
/// weights.
protocol TemporalPooling {
    /// - Parameters:
    ///   - states: (B, T, D), zero on padding.
    ///   - final: (B, D) last states.
    /// - Returns: (B, D), and weights (B, T), which are zero on padding and sum to one.
    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (
        Tensor, weights: Tensor?
    )
}

struct FinalPooling: TemporalPooling {
    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (
        Tensor, weights: Tensor?
    ) {
        (final, nil)
    }
}

struct MeanPooling: TemporalPooling {
    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (
        Tensor, weights: Tensor?
    ) {
        let lengths = layout.constant("lengths", on: states.device) {
            Tensor(layout.lengths.map(Float.init), shape: [layout.lengths.count, 1])
        }
        return (states.sum(over: 1) / lengths, uniformWeights(layout, states.device))
    }
}

/// The same weight for every frame of a sequence (B, T).
func uniformWeights(_ layout: PackedLayout, _ device: Device) -> Tensor {
    layout.constant("uniform weights", on: device) {
        let weights = layout.lengths.flatMap { length in
            (0..<layout.longest).map { $0 < length ? 1 / Float(length) : 0 }
        }
        return Tensor(weights, shape: [layout.lengths.count, layout.longest])
    }
}

/// The softmax of `scores` (B, T) over valid frames, and the states summed with these weights.
private func attend(_ scores: Tensor, _ states: Tensor, _ layout: PackedLayout) -> (Tensor, weights: Tensor?)
{
    let weights = scores.filled(where: layout.paddingMask(on: scores.device), with: -.infinity).softmax(
        over: 1)
    return (weightedSum(states, weights), weights)
}

private func weightedSum(_ states: Tensor, _ weights: Tensor) -> Tensor {
    (states * weights.unsqueezed(2)).sum(over: 1)
}

/// vᵀ tanh(W q + U k)
struct AdditivePooling: TemporalPooling {
    let query: Linear
    let key: Linear
    let score: Linear

    init(_ scope: Scope, _ width: Int, _ inner: Int) {
        query = Linear(scope / "attn_query", width, inner)
        key = Linear(scope / "attn_key", width, inner)
        score = Linear(scope / "attn_score", inner, 1, bias: false)
    }

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (
        Tensor, weights: Tensor?
    ) {
        let scores = score((query(final, pass).unsqueezed(1) + key(states, pass)).tanh(), pass).squeezed(2)
        return attend(scores, states, layout)
    }
}

/// (W q) · (U k) / √width
struct DotProductPooling: TemporalPooling {
    let query: Linear
    let key: Linear
    let scale: Double

    init(_ scope: Scope, _ width: Int, _ inner: Int) {
        query = Linear(scope / "attn_query", width, inner)
        key = Linear(scope / "attn_key", width, inner)
        scale = 1 / Double(inner).squareRoot()
    }

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (
        Tensor, weights: Tensor?
    ) {
        let scores = key(states, pass).matmul(query(final, pass).unsqueezed(2)).squeezed(2) * scale
        return attend(scores, states, layout)
    }
}

/// A score per frame from a two-layer network.
struct FrameScorer {
    let first: Linear
    let second: Linear

    init(_ scope: Scope, _ width: Int, _ inner: Int) {
        first = Linear(scope / 0, width, inner)
        second = Linear(scope / 2, inner, 1)
    }

    /// (B, T, D) to (B, T).
    func callAsFunction(_ states: Tensor, _ pass: Pass) -> Tensor {
        second(Activation.relu(first(states, pass)), pass).squeezed(2)
    }
}

struct GatePooling: TemporalPooling {
    let scorer: FrameScorer

    init(_ scope: Scope, _ width: Int, _ inner: Int) {
        scorer = FrameScorer(scope / "gate_mlp", width, inner)
    }

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (
        Tensor, weights: Tensor?
    ) {
        attend(scorer(states, pass), states, layout)
    }
}

/// The `count` best frames share the weight.
struct TopKPooling: TemporalPooling {
    let temperature: Tensor
    let scorer: FrameScorer
    let count: Int
    let published: Bool

    init(_ scope: Scope, _ width: Int, _ inner: Int, count: Int, published: Bool) {
        temperature = scope.parameter("temperature", [], .constant(0.1))
        scorer = FrameScorer(scope / "score_mlp", width, inner)
        self.count = count
        self.published = published
    }

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (
        Tensor, weights: Tensor?
    ) {
        // The study's check for infinities finds those that it put on padding itself, and then
        // falls back to a plain average for the batch.
        if published && layout.isPadded {
            let weights = uniformWeights(layout, states.device)
            return (weightedSum(states, weights), weights)
        }
        // Masked after the division, because the gradient of the division would otherwise be zero
        // times infinity.
        let scores = scorer(states, pass) / temperature.clamped(to: 1e-3...10)
        let probabilities = scores.filled(where: layout.paddingMask(on: states.device), with: -.infinity)
            .softmax(over: 1)
        let best = probabilities.top(min(count, layout.longest), over: 1)
        let total = best.values.sum(over: 1, keep: true)
        // Padding has probability zero, so selecting more frames than a sequence has adds nothing.
        let weights = (probabilities * 0).scattered(1, at: best.indices, values: best.values / total)
        return (weightedSum(states, weights), weights)
    }
}
