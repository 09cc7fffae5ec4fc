import Foundation

/// Writes the part of one shard.
///
/// Items are read chunk by chunk. A chunk's lines are on disk before the next one is read, in a file
/// `.partial` beside the part, which is renamed when it is whole. The writer that comes after a kill
/// keeps all chunks but the last, which may be cut, and reads on from there. Chunks always begin at
/// the same items, so sequences meet in the same batches, and the bytes are the same as without the
/// kill.
package final class PartWriter {
    /// The items of a chunk: some seconds of work.
    package static let chunkSize = 256

    private let part: URL
    private let partial: URL
    private let lock: FolderLock
    private let file: Int32
    /// All items of the shard.
    private let items: Range<Int>
    /// The items that are left.
    package private(set) var rest: Range<Int>

    /// - Returns: nil if the shard is finished.
    /// - Throws: `FileError` if another process is reading the shard, or the file cannot be written.
    package init?(_ results: ShardedResults, _ shard: Shard) throws {
        part = results.part(shard.number)
        partial = part.appendingPathExtension("partial")
        if FileNames.exists(part.path) { return nil }
        lock = try FolderLock(
            partial,
            orElse: FileError(
                partial.path, "is being written by another process", advice: "wait for it, or end it"))
        if FileNames.exists(part.path) {
            _ = partial.path.withFileSystemPath(unlink)
            return nil
        }
        items = shard.items(of: results.description.items)
        rest = items
        file = partial.path.withFileSystemPath { open($0, O_WRONLY | O_CLOEXEC) }
        guard file >= 0 else { throw AtomicFile.failure(partial, "write") }
        let (end, next) = try Self.wholeChunks(of: partial, items)
        rest = next..<items.upperBound
        guard ftruncate(file, off_t(end)) == 0, lseek(file, 0, SEEK_END) >= 0 else {
            throw AtomicFile.failure(partial, "write")
        }
    }

    deinit {
        close(file)
    }

    /// Whether an earlier process has read some items.
    package var isResumed: Bool { rest.lowerBound > items.lowerBound }

    /// The items to read next; empty after the last.
    package var next: Range<Int> {
        rest.lowerBound..<min(rest.upperBound, rest.lowerBound + Self.chunkSize)
    }

    /// Writes the lines of the items that `next` says.
    ///
    /// - Throws: `FileError` if the disk is full, for example.
    package func add(_ results: [ItemResult]) throws {
        var text = Data()
        for result in results { text += try result.line() }
        try text.withUnsafeBytes { try AtomicFile.append($0, to: file, of: partial) }
        guard fsync(file) == 0 else { throw AtomicFile.failure(partial, "write") }
        rest = next.upperBound..<rest.upperBound
    }

    /// Makes the file the part of the shard.
    package func finish() throws {
        precondition(rest.isEmpty, "a shard is finished with its last item")
        guard fsync(file) == 0 else { throw AtomicFile.failure(partial, "write") }
        try AtomicFile.replace(part, by: partial)
    }

    /// Where the last chunk begins, which may not be whole: its place in the file and its first item.
    private static func wholeChunks(of file: URL, _ items: Range<Int>) throws -> (end: Int, next: Int) {
        let lines = try LineFile(file.path)
        var found = (end: 0, next: items.lowerBound)
        while true {
            let start = lines.offset
            guard let head = try lines.next(ItemResult.head), let item = head?.item, items.contains(item),
                lines.isTerminated
            else { return found }
            let chunk = item - (item - items.lowerBound) % chunkSize
            if chunk > found.next { found = (start, chunk) }
        }
    }
}
