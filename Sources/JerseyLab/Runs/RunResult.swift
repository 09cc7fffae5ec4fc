import Jersey

/// What a run came to: `result.json`.
package struct RunResult: Codable, Sendable, Checked {
    package let model: String
    package let encoder: String
    package let parameters: Int
    package let seed: UInt64
    package let published: Bool
    /// Done, also where it stopped early.
    package let epochs: Int
    /// From 1; whose weights were tested.
    package let bestEpoch: Int
    /// Figures of the best epoch; nil without validation sequences.
    package let validation: EpochMetrics.Part?
    /// Nil without test sequences.
    package let test: Evaluation?
    package let trainSequences: Int
    /// Training and validation together.
    package let seconds: Double
    package let device: String
    package let libtorch: String
    /// Name of the machine that finished it; nil in files from before this was kept.
    package let host: String?

    private enum CodingKeys: String, CodingKey {
        case model, encoder, parameters, seed, published, epochs, validation, test, seconds, device, libtorch, host
        case bestEpoch = "best_epoch"
        case trainSequences = "train_sequences"
    }

    package var validationError: String? {
        validationError(ofCounts: [
            "parameters": parameters, "epochs": epochs, "best_epoch": bestEpoch, "train_sequences": trainSequences,
        ])
            ?? validationError(of: [seconds], "seconds", in: Limits.seconds) ?? validation?.validationError
    }
}
