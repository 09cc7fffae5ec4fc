import Jersey
import Torch

/// Reads the numbers of sequences. The service is a function of it.
protocol Predicting: Sendable {
    var about: ModelDescription { get }

    /// One prediction for each sequence, in order.
    ///
    /// - Throws: `CancellationError` where the task was cancelled before the model came to it.
    func predict(_ sequences: [FrameSequence]) async throws -> [Prediction]
}

/// What is known of a model that is served.
struct ModelDescription: Sendable, Equatable {
    let name: String
    /// Counts how often it was loaded, from 1.
    let version: Int
    /// Such as "evidence_tied".
    let architecture: String
    let parameters: Int
    /// What it takes in.
    let input: InputSpec
    let device: Device
    let precision: Precision
    /// Least confidence of an answer; nil where every sequence is answered.
    let threshold: Double?
}
