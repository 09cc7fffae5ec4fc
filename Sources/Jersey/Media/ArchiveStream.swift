import Foundation

/// The tracklets of an archive that comes piece by piece, such as from a network, and may be larger
/// than any disk. Those of one call of `next` are unpacked into a temporary folder, which is removed
/// with the last of them.
///
/// A tracklet is a folder of frames, or a sample of `WebDataset`. Its frames must stand together, as
/// tar packs a folder.
package final class ArchiveStream {
    /// A tracklet whose frames are coming.
    private struct Open {
        /// Its place in the archive; empty at the top.
        let name: String
        let folder: String
        /// Whether the name is that of a sample.
        var isSample: Bool
        var frames: [String] = []
    }

    private let name: String
    private let reader: ArchiveReader
    private var open: Open?
    /// A frame that was reached but not unpacked.
    private var waiting: ArchiveReader.Entry?
    /// The last label.
    private var label: (folder: String, key: String)?
    private var isOver = false
    /// Hashes of the names of all tracklets so far.
    private var seen: Set<UInt64> = []

    /// The most bytes of frames that are unpacked for one call, beyond its last tracklet.
    private static let chunkBytes = 1 << 30

    /// - Parameter name: what errors call the archive.
    /// - Throws: `FileError` if it is not an archive.
    package init(_ input: PipedInput, called name: String) throws {
        self.name = name
        var limits = UnpackedArchive.Limits()
        limits.entries = .max
        limits.bytes = .max
        reader = try withUTF8Names { try ArchiveReader(input, called: name, limits: limits) }
    }

    /// The next tracklets, in the order in which they stand in the archive.
    ///
    /// - Parameters:
    ///   - count: the most.
    ///   - progress: called for each entry; what it throws ends the reading.
    /// - Returns: an empty list at the end.
    /// - Throws: `FileError` if the archive is damaged or refused, if the frames of a tracklet do not
    ///   stand together, or if the disk is full.
    package func next(_ count: Int, progress: () throws -> Void = {}) throws -> [FrameSequence] {
        guard !isOver else { return [] }
        let unpacked = try UnpackedArchive()
        var closed: [Open] = []
        var bytes = 0
        try withUTF8Names {
            while let entry = try waiting ?? reader.next() {
                try progress()
                waiting = nil
                guard UnpackedArchive.isWanted(entry.parts), let file = entry.parts.last else { continue }
                let folder = entry.parts.dropLast().joined(separator: "/")
                guard FrameOrder.isFrame(file) else {
                    if WebDataset.isLabel(file) { closed += try close(labelled: file, in: folder) }
                    continue
                }
                let place = self.place(of: file, in: folder)
                if place.name != open?.name {
                    closed += try close()
                    if closed.count >= count || bytes >= Self.chunkBytes {
                        waiting = entry
                        return
                    }
                    open = place
                }
                bytes += try unpacked.add(entry, from: reader)
                open?.frames.append(file)
                guard bytes < Self.chunkBytes * 8 else {
                    throw reader.refused(entry, "is of a tracklet larger than \(Self.chunkBytes >> 27) GiB")
                }
            }
            isOver = true
            closed += try close()
        }
        return closed.map { sequence($0, in: unpacked) }
    }

    /// The tracklet that a frame belongs to.
    private func place(of file: String, in folder: String) -> Open {
        let one = WebDataset.key(ofOne: file).flatMap { key in
            label.map { $0 == (folder, key) } == true ? key : nil
        }
        guard let key = WebDataset.key(ofFrame: file) ?? one else {
            return Open(name: folder, folder: folder, isSample: false)
        }
        return Open(name: folder.isEmpty ? key : "\(folder)/\(key)", folder: folder, isSample: true)
    }

    /// Ends the tracklet whose frames are coming, if any.
    private func close() throws -> [Open] {
        guard let done = open else { return [] }
        open = nil
        guard seen.insert(fnv1a(done.name)).inserted else {
            throw FileError(
                name, "has frames of \(Shown.text(done.name)) in several places",
                advice: "pack the frames of a tracklet together, such as with the names sorted")
        }
        return [done]
    }

    /// A label makes the picture of its name, before or after it, a tracklet of its own.
    ///
    /// - Returns: the tracklets that end so.
    private func close(labelled file: String, in folder: String) throws -> [Open] {
        guard let key = WebDataset.key(ofOne: file) else { return [] }
        label = (folder, key)
        guard var before = open, !before.isSample, before.folder == folder,
            let last = before.frames.last, WebDataset.key(ofOne: last) == key
        else { return [] }
        before.frames.removeLast()
        open = before.frames.isEmpty ? nil : before
        var closed = try close()
        open = Open(
            name: folder.isEmpty ? key : "\(folder)/\(key)", folder: folder, isSample: true, frames: [last])
        closed += try close()
        return closed
    }

    private func sequence(_ tracklet: Open, in archive: UnpackedArchive) -> FrameSequence {
        let (names, anchor) = FrameOrder.frames(among: tracklet.frames)
        let id = tracklet.name.isEmpty ? name : tracklet.name
        // As in a folder, sequences of one folder are of one track; samples are tracks of their own.
        let parent = tracklet.isSample ? "" : id.parentPath
        return FrameSequence(
            id: id, track: parent.isEmpty ? id : parent, number: nil,
            frames: names.map { tracklet.folder.isEmpty ? $0 : "\(tracklet.folder)/\($0)" }, anchor: anchor,
            archive: archive)
    }
}
