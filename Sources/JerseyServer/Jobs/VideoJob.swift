import Foundation
import Jersey

/// A video whose players are to be read.
struct VideoJob: Sendable {
    /// What errors and frames call the video.
    let name: String
    let file: UploadedFile.Part
    let roster: Roster?
    let tracking: PlayerTracker.Options
    let model: any Predicting

    /// Reads the players. It takes long, and blocks the calling thread.
    ///
    /// - Parameters:
    ///   - work: the budget.
    ///   - progress: called after each frame.
    /// - Throws: `ServiceError`, or what it converts.
    func read(
        _ settings: ServerSettings, _ work: Work, progress: (MatchStep, _ frame: Int, _ frames: Int?) -> Void
    ) throws -> PlayerTable {
        var frames: Int?
        return try model.players(of: self) { step, frame in
            progress(step, frame, frames)
        } open: {
            // It ends with the video: stopped in the middle of one, it takes no other job.
            let decoder = try DecoderProcess(
                settings.program, memory: settings.decoderMemory, nice: Self.nice)
            let video = VideoReader(name, try DecodedVideo(file, named: name, by: decoder, work))
            frames = video.expectedFrames
            return video
        }
    }

    /// Jobs give way to requests, whose clients wait.
    static let nice = 10
}

/// Where a job stands, as clients see it.
struct JobStatus: Sendable, Encodable {
    enum State: String, Sendable, Encodable, CaseIterable {
        case queued, running, done, failed, cancelled
    }

    let id: String
    let video: String
    var state = State.queued
    /// Jobs that came earlier and are not done; nil unless it is queued.
    var before: Int?
    var step: MatchStep?
    /// Frames of this step so far, and approximately in all; nil if unknown.
    var frame = 0
    var frames: Int?
    /// Why it failed.
    var error: String?

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(video, forKey: .video)
        try container.encode(state, forKey: .state)
        try container.encode(before, forKey: .before)
        try container.encode(step, forKey: .step)
        try container.encode(frame, forKey: .frame)
        try container.encode(frames, forKey: .frames)
        try container.encode(error, forKey: .error)
    }

    private enum CodingKeys: CodingKey { case id, video, state, before, step, frame, frames, error }
}
