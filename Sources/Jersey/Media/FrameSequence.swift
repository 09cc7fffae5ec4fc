import Foundation

/// Frames of one player in time order, in files or in memory: what a model reads at once.
public struct FrameSequence: Sendable, Equatable {
    /// The name of the sequence: the folder of its frames, or "8/track_001/0" (number, track and
    /// sequence) in a labelled data set.
    public let id: String
    /// The name of the track, which sequences of one player share: "8/track_001".
    public let track: String
    /// The true number. Nil where it is not known and, in a labelled data set, where no number can
    /// be seen.
    public let number: JerseyNumber?
    /// The paths of the frames in time order. Where the frames are in memory these are names only.
    public let frames: [String]
    /// The frames if they are in memory, each an image or the reason why it cannot be read. Nil for
    /// files.
    package let images: [Result<RGBImage, ImageError>]?
    /// Index of the frame in which the number is seen best; nil if none is marked.
    package let anchor: Int?
    /// The archive that the frames come from, if any. Its unpacked files exist as long as this
    /// reference.
    package var archive: UnpackedArchive?

    package init(
        id: String, track: String, number: JerseyNumber?, frames: [String],
        images: [Result<RGBImage, ImageError>]? = nil,
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

    /// A sequence whose frames are in memory.
    ///
    /// - Parameters:
    ///   - id: the name of the sequence, which becomes `Prediction.sequence`.
    ///   - track: the name of the track, which becomes `Prediction.track`.
    ///   - number: the true number; nil where it is not known.
    ///   - frames: a name for each image, which errors and predictions use.
    ///   - images: the frames in time order, of any size.
    ///   - anchor: the index of the frame in which the number is seen best; nil where none is
    ///     marked. A model of single frames reads only that frame.
    public init(
        id: String, track: String, number: JerseyNumber?, frames: [String], images: [RGBImage], anchor: Int?
    ) {
        self.init(
            id: id, track: track, number: number, frames: frames, images: images.map { .success($0) },
            anchor: anchor)
    }

    /// The file of frame `index`.
    package func file(_ index: Int) -> String { archive?.file(frames[index]) ?? frames[index] }
}
