import Jersey

/// What a run came to: `result.json`.
public struct RunResult: Codable, Sendable, Checked {
    public let model: String
    public let encoder: String
    public let parameters: Int
    public let seed: UInt64
    public let published: Bool
    /// Done, also where it stopped early.
    public let epochs: Int
    /// From 1; whose weights were tested.
    public let bestEpoch: Int
    /// Of the best epoch; nil without validation sequences.
    public let validation: EpochMetrics.Part?
    /// Nil without test sequences.
    public let test: Evaluation?
    public let trainSequences: Int
    /// Of training and validation.
    public let seconds: Double
    public let device: String
    public let libtorch: String
    /// Name of the machine that finished it; nil in files from before this was kept.
    public let host: String?

    private enum CodingKeys: String, CodingKey {
        case model, encoder, parameters, seed, published, epochs, validation, test, seconds, device, libtorch, host
        case bestEpoch = "best_epoch"
        case trainSequences = "train_sequences"
    }

    package var flaw: String? {
        flaw(ofCounts: [
            "parameters": parameters, "epochs": epochs, "best_epoch": bestEpoch, "train_sequences": trainSequences,
        ])
            ?? flaw(of: [seconds], "seconds", in: Limits.seconds) ?? validation?.flaw
    }
}
