/// The format of cards is older than families. Models without a recurrent layer are distinguished
/// by their pooling. The phase follows from the other parts; it is written for other readers of a
/// card.
extension ModelSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case name, phase, encoder, temporal, pooling, fullHead, digitHeads
    }

    private enum FramePooling: Codable {
        case none, evidence
    }

    /// - Throws: `DecodingError` for a combination of parts that no family has.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let family: Family
        let digits = try container.decodeIfPresent(Digits.self, forKey: .digitHeads) ?? .independent
        if let layer = try container.decodeIfPresent(Temporal.self, forKey: .temporal) {
            guard digits == .independent else {
                throw DecodingError.dataCorruptedError(
                    forKey: .digitHeads, in: container,
                    debugDescription: "digits after a recurrent layer cannot be \(digits)")
            }
            family = .recurrent(layer, try container.decode(Pooling.self, forKey: .pooling))
        } else {
            switch try container.decode(FramePooling.self, forKey: .pooling) {
            case .none: family = .singleFrame(digits)
            case .evidence: family = .evidence(digits)
            }
        }
        self.init(
            try container.decode(String.self, forKey: .name),
            encoder: try container.decode(EncoderKind.self, forKey: .encoder), family,
            hasFullHead: try container.decodeIfPresent(Bool.self, forKey: .fullHead) ?? false)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(phase, forKey: .phase)
        try container.encode(self.encoder, forKey: .encoder)
        if hasFullHead { try container.encode(true, forKey: .fullHead) }
        func encode(_ pooling: FramePooling, _ digits: Digits) throws {
            try container.encode(pooling, forKey: .pooling)
            if digits != .independent { try container.encode(digits, forKey: .digitHeads) }
        }
        switch family {
        case .singleFrame(let digits): try encode(.none, digits)
        case .recurrent(let layer, let pooling):
            try container.encode(layer, forKey: .temporal)
            try container.encode(pooling, forKey: .pooling)
        case .evidence(let digits): try encode(.evidence, digits)
        }
    }
}
