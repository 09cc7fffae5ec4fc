import Torch

/// Turns the states of a sequence into one vector, with a weight for every frame where the pooling has weights.
protocol TemporalPooling {
    /// - Parameters:
    ///   - states: (B, T, D), zeros where there is no frame.
    ///   - final: (B, D) last states.
    /// - Returns: (B, D), and weights (B, T) that are zero on padding and sum to one.
    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (Tensor, weights: Tensor?)
}

extension ModelSpec.Pooling {
    func make(_ scope: Scope, width: Int, published: Bool) -> any TemporalPooling {
        switch self {
        // Evidence is pooled behind the heads, not before them.
        case .none, .final, .evidence: FinalPooling()
        case .mean: MeanPooling()
        case .additive(let inner): AdditivePooling(scope, width, inner)
        case .dotProduct(let inner): DotProductPooling(scope, width, inner)
        case .gate(let inner): GatePooling(scope, width, inner)
        case .topK(let count, let inner): TopKPooling(scope, width, inner, count: count, published: published)
        }
    }

    /// Whether frames are weighted by something learned: attention, or how well each can be read.
    var weighsFrames: Bool { isAttention || self == .evidence }

    /// Whether the states of frames are weighted by something learned.
    package var isAttention: Bool {
        switch self {
        case .none, .mean, .final, .evidence: false
        case .additive, .dotProduct, .gate, .topK: true
        }
    }
}

struct FinalPooling: TemporalPooling {
    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (Tensor, weights: Tensor?) {
        (final, nil)
    }
}

struct MeanPooling: TemporalPooling {
    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (Tensor, weights: Tensor?) {
        let lengths = layout.constant("lengths", on: states.device) {
            Tensor(layout.lengths.map(Float.init), shape: [layout.lengths.count, 1])
        }
        return (states.sum(over: 1) / lengths, uniformWeights(layout, states.device))
    }
}

/// The same weight for every frame of a sequence (B, T).
func uniformWeights(_ layout: PackedLayout, _ device: Device) -> Tensor {
    layout.constant("uniform weights", on: device) {
        let weights = layout.lengths.flatMap { length in (0..<layout.longest).map { $0 < length ? 1 / Float(length) : 0 } }
        return Tensor(weights, shape: [layout.lengths.count, layout.longest])
    }
}

/// Softmax of `scores` (B, T) over valid frames, and the states summed with it.
private func attend(_ scores: Tensor, _ states: Tensor, _ layout: PackedLayout) -> (Tensor, weights: Tensor?) {
    let weights = scores.filled(where: layout.paddingMask(on: scores.device), with: -.infinity).softmax(over: 1)
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

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (Tensor, weights: Tensor?) {
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

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (Tensor, weights: Tensor?) {
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

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (Tensor, weights: Tensor?) {
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

    func callAsFunction(_ states: Tensor, final: Tensor, layout: PackedLayout, _ pass: Pass) -> (Tensor, weights: Tensor?) {
        // The study finds the infinities that it has put on padding itself, and falls back to a plain average for the batch.
        if published && layout.isPadded {
            let weights = uniformWeights(layout, states.device)
            return (weightedSum(states, weights), weights)
        }
        // Masked after the division, whose gradient would else be zero times infinity.
        let scores = scorer(states, pass) / temperature.clamped(to: 1e-3...10)
        let probabilities = scores.filled(where: layout.paddingMask(on: states.device), with: -.infinity).softmax(over: 1)
        let best = probabilities.top(min(count, layout.longest), over: 1)
        let total = best.values.sum(over: 1, keep: true)
        // Frames past the end have probability zero, so taking more than a sequence has adds nothing.
        let weights = (probabilities * 0).scattered(1, at: best.indices, values: best.values / total)
        return (weightedSum(states, weights), weights)
    }
}
