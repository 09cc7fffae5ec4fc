/// How far a model's evidence is to be believed, and when it had better not answer. Measured on sequences that it has not learned from,
/// and kept in its file.
package struct ModelCalibration: Codable, Sendable, Equatable {
    /// Log-probabilities are divided by it: frames of one sequence resemble each other, so that their sum says too much.
    package var temperature: Double
    /// Least confidence of an answer, 0...1; below it a sequence counts as unreadable.
    package var threshold: Double
    /// Share of the answers that are right, 0...1. An answer where no number is seen is a wrong one.
    package var precision: Double
    /// Share of the sequences with a number that are answered, 0...1.
    package var coverage: Double
    /// How many were measured.
    package var sequences: Int
}
