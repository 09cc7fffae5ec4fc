import Foundation

/// One short clip of a player: the unit that a model reads.
public struct FrameSequence: Sendable, Equatable {
    /// "8/track_001/0": number, track and sequence.
    public let id: String
    /// "8/track_001", as in the study's splits.
    public let track: String
    /// Nil where it is not known; in a labelled data set, where none is seen.
    public let number: JerseyNumber?
    /// Paths in time order; names only, where the frames are in memory.
    public let frames: [String]
    /// The frames, where they are in memory and not in files, or why one cannot be read.
    package let images: [Result<RGBImage, ImageError>]?
    /// Index of the frame in which the number is seen best; nil where none is marked.
    package let anchor: Int?
    /// Where the frames come from, if not from files of their own; kept as long as they are needed.
    package var archive: UnpackedArchive?

    package init(
        id: String, track: String, number: JerseyNumber?, frames: [String], images: [Result<RGBImage, ImageError>]? = nil,
        anchor: Int?, archive: UnpackedArchive? = nil
    ) {
        self.id = id
        self.track = track
        self.number = number
        self.frames = frames
        self.images = images
        self.anchor = anchor
        self.archive = archive
    }

    /// All frames are in memory.
    public init(id: String, track: String, number: JerseyNumber?, frames: [String], images: [RGBImage], anchor: Int?) {
        self.init(id: id, track: track, number: number, frames: frames, images: images.map { .success($0) }, anchor: anchor)
    }

    /// The file of frame `index`.
    package func file(_ index: Int) -> String { archive?.file(frames[index]) ?? frames[index] }
}
