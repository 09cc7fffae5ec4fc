import Foundation

/// An archive whose members are read one by one, named as in "crops.zip#7/0001".
package struct ArchiveMembers: Sendable {
    /// The archive.
    package let path: String
    private let sequences: [FrameSequence]
    private let places: [ExactText: Int]

    /// - Parameter unpacking: called for each entry; what it throws ends the unpacking.
    /// - Throws: what `UnpackedArchive` throws; `FileError` if the archive has no frames.
    package init(_ path: String, unpacking: () throws -> Void = {}) throws {
        self.path = path
        sequences = try UnlabelledSequences([path], unpacking: unpacking).sequences
        places = Dictionary(
            sequences.indices.map { [sequences] in (ExactText(sequences[$0].id), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The archive and the member that a path names; nil if it names no member.
    package static func parts(of path: String) -> (archive: String, member: String)? {
        guard let mark = path.utf8.firstIndex(of: UInt8(ascii: "#")), !FileNames.exists(path) else {
            return nil
        }
        let archive = String(path[..<mark])
        let member = String(path[path.utf8.index(after: mark)...]).withoutEndingSlashes
        return UnpackedArchive.isArchive(archive) && !member.isEmpty ? (archive, member) : nil
    }

    /// What a member holds: the sequences of a folder and of those below it, a sample of
    /// `WebDataset`, or a picture.
    ///
    /// - Throws: `FileError` if there is none.
    package func sequences(of member: String) throws -> [FrameSequence] {
        let name = path.appendingName(member)
        let start = (name + "/").utf8
        if let place = places[ExactText(name)] {
            // Those below come right after it.
            return [sequences[place]] + sequences[(place + 1)...].prefix { $0.id.utf8.starts(with: start) }
        }
        let below = sequences.filter { $0.id.utf8.starts(with: start) }
        guard below.isEmpty else { return below }
        guard
            let sequence = sequences.first(where: { $0.frames.contains { ExactText($0) == ExactText(name) } })
        else {
            throw FileError(
                "\(path)#\(member)", "is no folder with frames, sample or picture of the archive",
                advice: "name it by its path in the archive")
        }
        return [
            FrameSequence(
                id: name, track: name.parentPath, number: nil, frames: [name], anchor: nil,
                archive: sequence.archive)
        ]
    }
}
