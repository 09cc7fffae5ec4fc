/// A model's input: the size of its frames, how many of them, and which part of whole players they
/// show.
package struct InputSpec: Sendable, Equatable {
    /// Pixels.
    package var height = 192
    package var width = 96
    /// The frames of a sequence that are read together. Longer sequences are sampled, or read in
    /// windows.
    package var maximumFrames = 16
    package var wholePlayers = WholePlayers.whole

    package init() {}

    /// What is invalid, such as "frames of 0x96 pixels"; nil if the input is valid.
    var validationError: String? {
        if !FramePreprocessor.sides.contains(height) || !FramePreprocessor.sides.contains(width) {
            return "frames of \(height)x\(width) pixels"
        }
        return FrameSampling.limits.contains(maximumFrames) ? nil : "sequences of \(maximumFrames) frames"
    }
}

extension InputSpec: Codable {
    private enum CodingKeys: String, CodingKey { case height, width, maximumFrames, wholePlayers }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        height = try container.decode(Int.self, forKey: .height)
        width = try container.decode(Int.self, forKey: .width)
        maximumFrames = try container.decode(Int.self, forKey: .maximumFrames)
        wholePlayers = try container.decodeIfPresent(WholePlayers.self, forKey: .wholePlayers) ?? .whole
    }

    /// `wholePlayers` is left out if it has the default, as in files from before it existed.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(height, forKey: .height)
        try container.encode(width, forKey: .width)
        try container.encode(maximumFrames, forKey: .maximumFrames)
        if wholePlayers != .whole { try container.encode(wholePlayers, forKey: .wholePlayers) }
    }
}
