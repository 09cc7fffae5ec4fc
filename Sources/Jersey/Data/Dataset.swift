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
    /// Paths in time order; names only, where the frames are in memory.
    public let frames: [String]
    /// The frames, where they are in memory and not in files, or why one cannot be read.
    public let images: [Result<RGBImage, ImageError>]?
    /// Index of the frame in which the number is seen best; nil where none is marked.
    public let anchor: Int?
    /// Where the frames come from, if not from files of their own; kept as long as they are needed.
    public internal(set) var archive: UnpackedArchive?

    public init(
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

    /// Of frames that are in memory, all of them.
    public init(id: String, track: String, number: JerseyNumber?, frames: [String], images: [RGBImage], anchor: Int?) {
        self.init(id: id, track: track, number: number, frames: frames, images: images.map { .success($0) }, anchor: anchor)
    }

    /// The file of frame `index`.
    public func file(_ index: Int) -> String { archive?.file(frames[index]) ?? frames[index] }
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

    /// Reads the data set that `config` tells of, a folder or an archive of one.
    ///
    /// - Throws: `FileError` when the folder is missing or is not in that format, and what `UnpackedArchive` throws.
    public init(_ config: DataConfig) throws {
        let format = try DatasetFormat.named(config.format)
        guard UnpackedArchive.isArchive(config.path) else {
            self = try format.read(config)
            return
        }
        let archive = try UnpackedArchive(config.path)
        var inside = config
        inside.path = try Self.top(of: archive.folder).path
        do {
            let found = try format.read(inside)
            self.init(
                root: config.path,
                sequences: found.sequences.map { sequence in
                    var sequence = sequence
                    sequence.archive = archive
                    return sequence
                }, remarks: found.remarks.map(archive.name))
        } catch let error as FileError {
            throw FileError(archive.name(error.path), archive.name(error.reason), advice: error.advice)
        }
    }

    /// The data set in an archive: folders around it are passed over.
    private static func top(of folder: URL) throws -> URL {
        let content = try names(in: folder)
        guard content.count == 1, !isTopFolder(content[0]) else { return folder }
        let only = folder.appendingPathComponent(content[0])
        return isFolder(only) ? try top(of: only) : folder
    }
}

/// A way of keeping labelled sequences on disk.
public struct DatasetFormat: Sendable {
    public let name: String
    public let summary: String
    let read: @Sendable (DataConfig) throws -> Dataset

    public static let all: [DatasetFormat] = [.folders, .soccernet]

    public static func named(_ name: String) throws -> DatasetFormat {
        guard let format = all.first(where: { $0.name == name }) else {
            throw UsageError.unknown(
                "data format", name, among: all.map(\.name), advice: "there are: \(all.map(\.name).joined(separator: ", "))")
        }
        return format
    }
}
