import Foundation
import Torch

/// One short clip of a player: the unit that a model reads.
public struct FrameSequence: Sendable, Equatable {
    /// "8/track_001/0": number, track and sequence.
    public let id: String
    /// "8/track_001", as in the study's splits.
    public let track: String
    /// Nil where it is not known; in a labelled data set, where none is seen.
    public let number: JerseyNumber?
    /// Paths in frame order; names only, where the frames are in memory.
    public let frames: [String]
    /// The frames, where they are in memory and not in files.
    public let images: [RGBImage]?
    /// Index of the frame in which the number is seen best; nil where none is marked.
    public let anchor: Int?

    public init(
        id: String, track: String, number: JerseyNumber?, frames: [String], images: [RGBImage]? = nil, anchor: Int?
    ) {
        self.id = id
        self.track = track
        self.number = number
        self.frames = frames
        self.images = images
        self.anchor = anchor
    }
}

/// Labelled sequences, and what is odd about them.
public struct Dataset: Sendable {
    public let root: String
    public let sequences: [FrameSequence]
    /// Sentences for the user: folders without frames, several anchors, and the like.
    public let remarks: [String]

    public init(root: String, sequences: [FrameSequence], remarks: [String]) {
        self.root = root
        self.sequences = sequences
        self.remarks = remarks
    }

    /// Sorted, each once.
    public var tracks: [String] { Set(sequences.map(\.track)).sorted(by: naturallyPrecedes) }
    public var numbers: [JerseyNumber] { Set(sequences.compactMap(\.number)).sorted() }

    /// Reads the data set that `config` tells of.
    ///
    /// - Throws: `FileError` when the folder is missing or is not in that format.
    public init(_ config: DataConfig, published: Bool = false) throws {
        self = try DatasetFormat.named(config.format).read(config, published)
    }
}

/// A way of keeping labelled sequences on disk.
public struct DatasetFormat: Sendable {
    public let name: String
    public let summary: String
    let read: @Sendable (DataConfig, _ published: Bool) throws -> Dataset

    public static let all: [DatasetFormat] = [.folders]

    public static func named(_ name: String) throws -> DatasetFormat {
        guard let format = all.first(where: { $0.name == name }) else {
            throw UsageError.unknown(
                "data format", name, among: all.map(\.name), advice: "there are: \(all.map(\.name).joined(separator: ", "))")
        }
        return format
    }
}
