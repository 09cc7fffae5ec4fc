import Jersey

/// `result.json`: the result of a finished run.
package struct RunResult: Codable, Sendable, Checked {
    package let model: String
    package let encoder: String
    package let parameters: Int
    package let seed: UInt64
    package let published: Bool
    /// Completed epochs, including after early stopping.
    package let epochs: Int
    /// The epoch whose weights were tested, from 1.
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
    /// Name of the machine that finished the run; nil in files of older versions.
    package let host: String?

    private enum CodingKeys: String, CodingKey {
        case model, encoder, parameters, seed, published, epochs, validation, test, seconds, device, libtorch,
            host
        case bestEpoch = "best_epoch"
        case trainSequences = "train_sequences"
    }

    package var validationError: String? {
        validationError(ofCounts: [
            "parameters": parameters, "epochs": epochs, "best_epoch": bestEpoch,
            "train_sequences": trainSequences,
        ])
            ?? validationError(of: [seconds], "seconds", in: Limits.seconds) ?? validation?.validationError
    }
}
