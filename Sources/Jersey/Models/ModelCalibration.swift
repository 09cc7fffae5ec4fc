/// How reliable a model's confidences are, and when it abstains. The values are measured on
/// sequences that the model was not trained on, and kept in its file.
package struct ModelCalibration: Codable, Sendable, Equatable {
    /// The divisor of log-probabilities. Frames of one sequence resemble each other, so their plain
    /// sum is overconfident.
    package var temperature: Double
    /// The least confidence of an answer, 0...1. Below it a sequence is unreadable.
    package var threshold: Double
    /// The share of answers that are right, 0...1. Any answer is wrong if no number is visible.
    package var precision: Double
    /// The share of sequences with a number that get an answer, 0...1.
    package var coverage: Double
    /// How many sequences were measured.
    package var sequences: Int
}
