/// The keys of the input stand among the card's own, as older files have them.
extension Checkpoint.Card: Codable {
    private enum CodingKeys: String, CodingKey {
        case spec, published, numbers, training, calibration, activations, agreements
        case earlyExit = "anytime"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        spec = try container.decode(ModelSpec.self, forKey: .spec)
        published = try container.decode(Bool.self, forKey: .published)
        input = try InputSpec(from: decoder)
        numbers = try container.decode([JerseyNumber].self, forKey: .numbers)
        training = try container.decodeIfPresent(Training.self, forKey: .training)
        calibration = try container.decodeIfPresent(ModelCalibration.self, forKey: .calibration)
        earlyExit = try container.decodeIfPresent(EarlyExit.self, forKey: .earlyExit)
        activations = try container.decodeIfPresent([String: ClosedRange<Float>].self, forKey: .activations)
        agreements = try container.decodeIfPresent([Precision: PrecisionAgreement].self, forKey: .agreements)
    }

    package func encode(to encoder: any Encoder) throws {
        try input.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(spec, forKey: .spec)
        try container.encode(published, forKey: .published)
        try container.encode(numbers, forKey: .numbers)
        try container.encodeIfPresent(training, forKey: .training)
        try container.encodeIfPresent(calibration, forKey: .calibration)
        try container.encodeIfPresent(earlyExit, forKey: .earlyExit)
        try container.encodeIfPresent(activations, forKey: .activations)
        try container.encodeIfPresent(agreements, forKey: .agreements)
    }
}
