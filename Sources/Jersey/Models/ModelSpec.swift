import Torch

/// The parts of a model. They alone determine its network.
package struct ModelSpec: Sendable, Hashable {
    /// The part after the encoder, which turns frames into an answer. `ModelHead` has a type for
    /// each.
    package enum Family: Sendable, Hashable {
        /// The digits of one frame, the anchor.
        case singleFrame(Digits)
        /// A recurrent layer runs over the features of all frames, and the digits are read from its
        /// pooled states.
        case recurrent(Temporal, Pooling)
        /// The digits of each frame are averaged, weighted by the probability that the frame is read
        /// correctly.
        case evidence(Digits)
    }

    /// The recurrent layer.
    package struct Temporal: Codable, Sendable, Hashable {
        package var cell: Recurrent.Cell
        package var bidirectional: Bool
        /// Units in each direction.
        package var hidden = Self.usualHidden

        /// The study's value.
        package static let usualHidden = 128
        /// The range of `hidden`. More units make no sense for a few frames.
        package static let hiddenLimits = 1...2048

        package var width: Int { bidirectional ? 2 * hidden : hidden }
    }

    /// How digits are classified.
    package enum Digits: String, Codable, Sendable {
        /// One layer for tens and another for ones, as in the study.
        case independent
        /// One classifier, applied at the places of the tens and of the ones.
        case tied
    }

    package var name: String
    package var encoder: EncoderKind
    package private(set) var family: Family
    /// Whether a third head classifies all 110 numbers, as in the study's early models. It is
    /// trained, but answers do not use it.
    package var hasFullHead = false

    init(_ name: String, encoder: EncoderKind = .resnet18, _ family: Family, hasFullHead: Bool = false) {
        self.name = name
        self.encoder = encoder
        self.family = family
        self.hasFullHead = hasFullHead
    }

    /// The recurrent layer, if any.
    package var temporal: Temporal? { if case .recurrent(let layer, _) = family { layer } else { nil } }

    /// The pooling of its states, if any.
    package var pooling: Pooling? { if case .recurrent(_, let pooling) = family { pooling } else { nil } }

    /// The same with another number of units in each direction of the recurrent layer, if there is
    /// one.
    package func with(hidden: Int) -> ModelSpec {
        guard case .recurrent(var layer, let pooling) = family else { return self }
        var spec = self
        layer.hidden = hidden
        spec.family = .recurrent(layer, pooling)
        return spec
    }
}

// MARK: - Words

extension ModelSpec {
    /// The displayed name: "seq_bgru_mp", or "seq_bgru_mp (compact, 64 units)" if the model differs
    /// from that.
    package var title: String {
        let own = Self.all.first { $0.name == name }?.encoder ?? encoder
        let units = temporal.map(\.hidden).flatMap { $0 == Temporal.usualHidden ? nil : "\($0) units" }
        let others = [encoder == own ? nil : encoder.rawValue, units].compactMap { $0 }
        return others.isEmpty ? name : "\(name) (\(others.joined(separator: ", ")))"
    }

    /// "attn_bgru_luong with resnet18", which distinguishes it from others.
    package var summary: String {
        let units = temporal.map(\.hidden).flatMap {
            $0 == Temporal.usualHidden ? nil : ", \($0) units in its recurrent layer"
        }
        return "\(name) with \(encoder.rawValue)" + (units ?? "")
            + (hasFullHead ? " and a head for whole numbers" : "")
    }
}

extension ModelSpec.Temporal: CustomStringConvertible {
    /// "bidirectional gru", "lstm of 64 units" and so on.
    package var description: String {
        (bidirectional ? "bidirectional " : "") + "\(cell)"
            + (hidden == Self.usualHidden ? "" : " of \(hidden) units")
    }
}

// MARK: - The zoo

extension ModelSpec: Catalogued {
    /// The study's eighteen models, in the order of its tables.
    package static let study: [ModelSpec] = [
        ModelSpec("basic_r18", .singleFrame(.independent)),
        ModelSpec("basic_effb0", encoder: .efficientnetB0, .singleFrame(.independent)),
        // The study calls this Lite0 and builds B0; its figures are B0's.
        ModelSpec("basic_effl0", encoder: .efficientnetB0, .singleFrame(.independent)),
        ModelSpec("basic_mv3l", encoder: .mobilenetV3Large, .singleFrame(.independent)),
        ModelSpec("basic_mv3s", encoder: .mobilenetV3Small, .singleFrame(.independent)),
        ModelSpec("basic_sv2", encoder: .shufflenetV2, .singleFrame(.independent)),
        ModelSpec("seq_brnn_mp", .recurrent(.init(cell: .rnn, bidirectional: true), .mean)),
        ModelSpec("seq_urnn_fs", .recurrent(.init(cell: .rnn, bidirectional: false), .final)),
        ModelSpec("seq_bgru_mp", .recurrent(.init(cell: .gru, bidirectional: true), .mean)),
        ModelSpec("seq_ugru_fs", .recurrent(.init(cell: .gru, bidirectional: false), .final)),
        ModelSpec("seq_blstm_mp", .recurrent(.init(cell: .lstm, bidirectional: true), .mean)),
        ModelSpec("seq_ulstm_fs", .recurrent(.init(cell: .lstm, bidirectional: false), .final)),
        ModelSpec("attn_bgru_bahdanau", .recurrent(.init(cell: .gru, bidirectional: true), .additive())),
        ModelSpec("attn_bgru_luong", .recurrent(.init(cell: .gru, bidirectional: true), .dotProduct())),
        ModelSpec("attn_bgru_gate", .recurrent(.init(cell: .gru, bidirectional: true), .gate())),
        ModelSpec("attn_bgru_hc", .recurrent(.init(cell: .gru, bidirectional: true), .topK())),
        ModelSpec("attn_ugru_gate", .recurrent(.init(cell: .gru, bidirectional: false), .gate())),
        ModelSpec("attn_ugru_hc", .recurrent(.init(cell: .gru, bidirectional: false), .topK())),
    ]

    /// All models: the study's, the EfficientNet-Lite0 that the study meant, and our small ones for
    /// number crops.
    package static let all: [ModelSpec] =
        study + [
            ModelSpec("basic_efflite0", encoder: .efficientnetLite0, .singleFrame(.independent)),
            ModelSpec("evidence_tied", encoder: .compact, .evidence(.tied)),
            // For comparison: the same network with the study's heads.
            ModelSpec("evidence_independent", encoder: .compact, .evidence(.independent)),
        ]

    package static let kind = "model"
    package static let remedy: Remedy? = .modelList

    /// Older names of the study, with the name that each stands for.
    package static let aliases: [String: String] = [
        "seq": "seq_bgru_mp", "seq_uni": "seq_ugru_fs", "seq_bilstm": "seq_blstm_mp",
        "seq_attn": "attn_bgru_bahdanau",
        "seq_bgru_bahdanau": "attn_bgru_bahdanau", "seq_bgru_luong": "attn_bgru_luong",
        "seq_bgru_gate": "attn_bgru_gate",
        "seq_bgru_hc": "attn_bgru_hc", "seq_ugru_gate": "attn_ugru_gate", "seq_ugru_hc": "attn_ugru_hc",
        "anchor": "basic_r18", "basic": "basic_r18", "anchor_r18": "basic_r18", "anchor_effb0": "basic_effb0",
        "anchor_effl0": "basic_effl0", "anchor_mv3l": "basic_mv3l", "anchor_mv3s": "basic_mv3s",
        "anchor_sv2": "basic_sv2",
    ]

    /// The model with a name or older name, perhaps with another encoder, or another number of
    /// units in its recurrent layer.
    ///
    /// With another encoder it takes the name of a model of `all` that has these parts: `basic_r18`
    /// with EfficientNet-B0 is `basic_effb0`.
    ///
    /// - Parameter encoder: nil for the model's own.
    /// - Throws: `UsageError` that names close matches.
    package static func named(_ name: String, encoder: EncoderKind?, hidden: Int? = nil) throws -> ModelSpec {
        var spec = try named(name)
        if let hidden { spec = spec.with(hidden: hidden) }
        guard let encoder, encoder != spec.encoder else { return spec }
        spec.encoder = encoder
        return all.first { $0.isMade(as: spec) } ?? spec
    }

    /// Whether both are the same network, whatever their names.
    func isMade(as other: ModelSpec) -> Bool {
        var copy = other
        copy.name = name
        return copy == self
    }
}
