import Jersey
import Torch

/// Reads numbers from sequences. The service depends only on this protocol, so tests can use a
/// stub.
protocol Predicting: Sendable {
    var about: ModelDescription { get }

    /// One prediction per sequence, in order.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while the sequences wait for the
    ///   model.
    func predict(_ sequences: [FrameSequence]) async throws -> [Prediction]

    /// Reads the players of a video. It takes long, and blocks the calling thread.
    ///
    /// - Parameters:
    ///   - progress: called after each frame, with the number of frames so far.
    ///   - open: opens the video at its start.
    /// - Throws: `FileError` where the video cannot be decoded, or shows nobody; what `open` throws.
    func players(
        of job: VideoJob, progress: (MatchStep, _ frame: Int) -> Void, open: () throws -> VideoReader
    ) throws -> PlayerTable
}

/// A description of a served model.
struct ModelDescription: Sendable, Equatable {
    let name: String
    /// How often it has been loaded, from 1.
    let version: Int
    /// For example "evidence_tied".
    let architecture: String
    let parameters: Int
    /// What it takes in.
    let input: InputSpec
    let device: Device
    let precision: Precision
    /// The least confidence of an answer; nil if the model always answers.
    let threshold: Double?
}
