import Torch

/// What a model is made of. A network is built from it and from nothing else.
package struct ModelSpec: Codable, Sendable, Hashable {
    /// The part of the study that a model comes from.
    package enum Phase: String, Codable, Sendable {
        case singleFrame = "0"
        case sequence = "A"
        case attention = "B"
        /// Ours, not the study's: frames are read one by one, and what they tell is summed.
        case evidence = "E"
    }

    /// The recurrent layer.
    package struct Temporal: Codable, Sendable, Hashable {
        package var cell: Recurrent.Cell
        package var bidirectional: Bool
        /// Units in each direction.
        package var hidden = Self.usualHidden

        /// The study's.
        package static let usualHidden = 128
        /// What a layer may have; more is no layer for a few frames.
        package static let hiddenLimits = 1...2048

        package var width: Int { bidirectional ? 2 * hidden : hidden }
    }

    /// How the states of all frames become one vector; each one's `summary` says how.
    package enum Pooling: Codable, Sendable, Hashable {
        case none
        case mean
        case final
        case additive(width: Int = 128)
        case dotProduct(width: Int = 128)
        case gate(width: Int = 64)
        case topK(count: Int = 3, width: Int = 64)
        case evidence
    }

    /// How digits are told apart.
    package enum Digits: String, Codable, Sendable {
        /// By a layer for tens and another for ones, as in the study.
        case independent
        /// By one classifier, where the tens and where the ones stand.
        case tied
    }

    package var name: String
    package var phase: Phase
    package var encoder: EncoderKind
    package var temporal: Temporal?
    package var pooling: Pooling
    /// Optional, so that files of models without the head are as they were before there was one.
    private var fullHead: Bool?
    /// Optional for the same reason.
    private var digitHeads: Digits?

    init(
        _ name: String, phase: Phase, encoder: EncoderKind = .resnet18, temporal: Temporal? = nil, pooling: Pooling = .none,
        digits: Digits = .independent
    ) {
        self.name = name
        self.phase = phase
        self.encoder = encoder
        self.temporal = temporal
        self.pooling = pooling
        digitHeads = digits == .independent ? nil : digits
    }

    package var digits: Digits { digitHeads ?? .independent }

    /// Whether a third head tells the 110 numbers apart, as in the study's early models; it is trained, and not read from.
    package var hasFullHead: Bool {
        get { fullHead ?? false }
        set { fullHead = newValue ? true : nil }
    }

    /// Whether the model reads the anchor frame alone.
    package var readsAnchorOnly: Bool { temporal == nil && pooling == .none }

    /// Whether it tells how likely a frame can be read, and so can learn from sequences in which no number is seen.
    package var judgesReadability: Bool { pooling == .evidence }

    /// How much of what one frame says the others have said already, 0...1 (`Evidence`): a model that weighs its frames has
    /// learned to sum them.
    var frameCorrelation: Double { judgesReadability ? 0 : Evidence.windowCorrelation }

    /// Why the study has no such model, so that nothing can be done with it as the study did; nil where it could be.
    package var notPublished: String? { judgesReadability ? "the study has nothing like \(name)" : nil }

    /// Rates of the study: single-frame models train at one rate, the others with a gentler one for the encoder.
    package var usesDiscriminativeRates: Bool { temporal != nil }
}

// MARK: - Words

extension ModelSpec {
    /// The name that people are shown: "seq_bgru_mp", and where it is not made as that model is "seq_bgru_mp (compact, 64 units)".
    package var title: String {
        let own = Self.all.first { $0.name == name }?.encoder ?? encoder
        let units = temporal.map(\.hidden).flatMap { $0 == Temporal.usualHidden ? nil : "\($0) units" }
        let others = [encoder == own ? nil : encoder.rawValue, units].compactMap { $0 }
        return others.isEmpty ? name : "\(name) (\(others.joined(separator: ", ")))"
    }

    /// "attn_bgru_luong with resnet18", to tell it from another.
    package var summary: String {
        let units = temporal.map(\.hidden).flatMap { $0 == Temporal.usualHidden ? nil : ", \($0) units in its recurrent layer" }
        return "\(name) with \(encoder.rawValue)" + (units ?? "") + (hasFullHead ? " and a head for whole numbers" : "")
    }
}

extension ModelSpec.Temporal: CustomStringConvertible {
    /// "bidirectional gru", "lstm of 64 units" and so on.
    package var description: String {
        (bidirectional ? "bidirectional " : "") + "\(cell)" + (hidden == Self.usualHidden ? "" : " of \(hidden) units")
    }
}

extension ModelSpec.Pooling: CustomStringConvertible {
    package var description: String { name }
}

extension ModelSpec.Pooling: Catalogued {
    package static let all: [Self] = [
        .none, .mean, .final, .additive(), .dotProduct(), .gate(), .topK(), .evidence,
    ]
    package static let kind = "pooling"

    package var name: String {
        switch self {
        case .none: "none"
        case .mean: "mean"
        case .final: "final state"
        case .additive: "additive attention"
        case .dotProduct: "dot-product attention"
        case .gate: "gated attention"
        case .topK(let count, _): "top-\(count) attention"
        case .evidence: "summed evidence"
        }
    }

    package var summary: String {
        switch self {
        case .none: "there is one frame only"
        case .mean: "the mean of the states of all frames"
        case .final: "the state after the last frame"
        case .additive: "Bahdanau et al. 2015"
        case .dotProduct: "Luong et al. 2015, scaled by 1/√width"
        case .gate: "a small network scores each frame by itself"
        case .topK(let count, _):
            "a softmax over scores of which only the \(count) largest are kept; the study's \"hard-concrete\""
        case .evidence:
            "every frame is read by itself; log-probabilities are summed, each frame's weighted by how likely it can be read"
        }
    }
}

// MARK: - The zoo

extension ModelSpec: Catalogued {
    /// The study's eighteen models, in the order of its tables.
    package static let study: [ModelSpec] = [
        ModelSpec("basic_r18", phase: .singleFrame),
        ModelSpec("basic_effb0", phase: .singleFrame, encoder: .efficientnetB0),
        // The study calls this Lite0 and builds B0; its figures are B0's.
        ModelSpec("basic_effl0", phase: .singleFrame, encoder: .efficientnetB0),
        ModelSpec("basic_mv3l", phase: .singleFrame, encoder: .mobilenetV3Large),
        ModelSpec("basic_mv3s", phase: .singleFrame, encoder: .mobilenetV3Small),
        ModelSpec("basic_sv2", phase: .singleFrame, encoder: .shufflenetV2),
        ModelSpec("seq_brnn_mp", phase: .sequence, temporal: .init(cell: .rnn, bidirectional: true), pooling: .mean),
        ModelSpec("seq_urnn_fs", phase: .sequence, temporal: .init(cell: .rnn, bidirectional: false), pooling: .final),
        ModelSpec("seq_bgru_mp", phase: .sequence, temporal: .init(cell: .gru, bidirectional: true), pooling: .mean),
        ModelSpec("seq_ugru_fs", phase: .sequence, temporal: .init(cell: .gru, bidirectional: false), pooling: .final),
        ModelSpec("seq_blstm_mp", phase: .sequence, temporal: .init(cell: .lstm, bidirectional: true), pooling: .mean),
        ModelSpec("seq_ulstm_fs", phase: .sequence, temporal: .init(cell: .lstm, bidirectional: false), pooling: .final),
        ModelSpec(
            "attn_bgru_bahdanau", phase: .attention, temporal: .init(cell: .gru, bidirectional: true), pooling: .additive()),
        ModelSpec("attn_bgru_luong", phase: .attention, temporal: .init(cell: .gru, bidirectional: true), pooling: .dotProduct()),
        ModelSpec("attn_bgru_gate", phase: .attention, temporal: .init(cell: .gru, bidirectional: true), pooling: .gate()),
        ModelSpec("attn_bgru_hc", phase: .attention, temporal: .init(cell: .gru, bidirectional: true), pooling: .topK()),
        ModelSpec("attn_ugru_gate", phase: .attention, temporal: .init(cell: .gru, bidirectional: false), pooling: .gate()),
        ModelSpec("attn_ugru_hc", phase: .attention, temporal: .init(cell: .gru, bidirectional: false), pooling: .topK()),
    ]

    /// Every model by its name: the study's, the EfficientNet-Lite0 that it meant, and our small ones for number crops.
    package static let all: [ModelSpec] =
        study + [
            ModelSpec("basic_efflite0", phase: .singleFrame, encoder: .efficientnetLite0),
            ModelSpec("evidence_tied", phase: .evidence, encoder: .compact, pooling: .evidence, digits: .tied),
            // To compare with: the same network with the study's heads.
            ModelSpec("evidence_independent", phase: .evidence, encoder: .compact, pooling: .evidence),
        ]

    package static let kind = "model"
    package static let remedy: Remedy? = .modelList

    /// Older names of the study, and what they stand for.
    package static let aliases: [String: String] = [
        "seq": "seq_bgru_mp", "seq_uni": "seq_ugru_fs", "seq_bilstm": "seq_blstm_mp", "seq_attn": "attn_bgru_bahdanau",
        "seq_bgru_bahdanau": "attn_bgru_bahdanau", "seq_bgru_luong": "attn_bgru_luong", "seq_bgru_gate": "attn_bgru_gate",
        "seq_bgru_hc": "attn_bgru_hc", "seq_ugru_gate": "attn_ugru_gate", "seq_ugru_hc": "attn_ugru_hc",
        "anchor": "basic_r18", "basic": "basic_r18", "anchor_r18": "basic_r18", "anchor_effb0": "basic_effb0",
        "anchor_effl0": "basic_effl0", "anchor_mv3l": "basic_mv3l", "anchor_mv3s": "basic_mv3s", "anchor_sv2": "basic_sv2",
    ]

    /// The model of that name or older name, with another encoder than its own, or other units in its recurrent layer where it has one.
    ///
    /// What comes of another encoder has its own name where it is a model of `all`: `basic_r18` with EfficientNet-B0 is `basic_effb0`.
    ///
    /// - Parameter encoder: nil for the model's own.
    /// - Throws: `UsageError` that names close matches.
    package static func named(_ name: String, encoder: EncoderKind?, hidden: Int? = nil) throws -> ModelSpec {
        var spec = try named(name)
        if let hidden { spec.temporal?.hidden = hidden }
        guard let encoder, encoder != spec.encoder else { return spec }
        spec.encoder = encoder
        return all.first { $0.isMade(as: spec) } ?? spec
    }

    /// Whether both are one network, whatever they are called.
    func isMade(as other: ModelSpec) -> Bool {
        var copy = other
        copy.name = name
        return copy == self
    }
}
