import Foundation
import Jersey

/// Labelled sequences, with remarks about irregularities.
package struct Dataset: Sendable {
    package let root: String
    package let sequences: [FrameSequence]
    /// Sentences for the user: folders without frames, several anchors, and the like.
    package let remarks: [String]

    package init(root: String, sequences: [FrameSequence], remarks: [String]) {
        self.root = root
        self.sequences = sequences
        self.remarks = remarks
    }

    /// Sorted and unique.
    package var tracks: [String] { Set(sequences.map(\.track)).sorted(by: naturallyPrecedes) }
    package var numbers: [JerseyNumber] { Set(sequences.compactMap(\.number)).sorted() }

    /// Reads the data set at `config.path`, a folder or an archive of one.
    ///
    /// - Throws: `FileError` if the folder is missing or has another format; the errors of
    ///   `UnpackedArchive`.
    package init(_ config: DataConfig) throws {
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

    /// The data set's folder in an unpacked archive. Enclosing folders are skipped.
    private static func top(of folder: URL) throws -> URL {
        let content = try FolderLayout.listNames(in: folder)
        guard content.count == 1, !FolderLayout.isTop(content[0]) else { return folder }
        let only = folder.appendingPathComponent(content[0])
        return FileNames.isFolder(only) ? try top(of: only) : folder
    }
}
