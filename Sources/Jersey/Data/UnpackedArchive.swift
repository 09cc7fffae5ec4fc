import CArchive
import Foundation
import Torch

/// The frames in a zip, tar or tar.gz file, unpacked to a temporary folder that is removed with the last reference to it.
///
/// Archives come from strangers. One with a path that leads out of it, a link, a device, or more than the limits is refused as a whole
/// and by the entry's name. Only frames and JSON files are written; everything else is passed over, hidden files, too.
public final class UnpackedArchive: Sendable {
    /// What an archive may hold at most.
    public struct Limits: Sendable {
        public var entries = 1_000_000
        /// Of one entry, and of all together.
        public var entryBytes = 64 << 20
        public var bytes = 32 << 30
        /// Unpacked bytes for each byte of the file; what fits into one entry is free. Pictures do not shrink, so that it is near 1.
        public var ratio = 50

        public init() {}
    }

    /// The archive, as it is called.
    public let path: String
    /// What was in it.
    public let folder: URL
    private let temporary: TemporaryFolder

    public static let endings = [".zip", ".tar", ".tar.gz", ".tgz"]

    public static func isArchive(_ path: String) -> Bool {
        endings.contains(where: path.lowercased().hasSuffix) && !isFolder(URL(fileURLWithPath: path))
    }

    /// - Parameters:
    ///   - name: what it is called in errors and in the paths of its frames, where the file's own name says nothing.
    ///   - progress: called for each entry; what it throws ends the unpacking.
    /// - Throws: `FileError` when the file is missing, damaged, no archive, or must not be trusted, and when the disk is full.
    public init(
        _ file: String, called name: String? = nil, limits: Limits = Limits(), progress: () throws -> Void = {}
    ) throws {
        path = name ?? file
        temporary = try TemporaryFolder()
        folder = temporary.url.appendingPathComponent(path.lastName)
        try FileManager.default.makeFolder(folder)
        try withUTF8Names {
            let reader = try ArchiveReader(file, called: path, limits: limits)
            while let entry = try reader.next() {
                try progress()
                if Self.isWanted(entry.parts) { try reader.write(entry, below: folder) }
            }
        }
    }

    /// Where a frame lies that is named by the archive's path and its path in there; other paths are what they are.
    public func file(_ name: String) -> String {
        name.hasPrefix(path + "/") ? folder.path + name.dropFirst(path.count) : name
    }

    private static func isWanted(_ parts: [String]) -> Bool {
        guard let name = parts.last, !parts.contains(where: { $0.hasPrefix(".") }) else { return false }
        return FrameOrder.isFrame(name) || name.hasSuffix(".json") || name.hasSuffix(".jsonl")
    }
}

extension UnpackedArchive: Equatable {
    public static func == (a: UnpackedArchive, b: UnpackedArchive) -> Bool { a === b }
}

/// A folder that is gone with the last reference to it. A process that is killed cannot remove its own; the next one does.
private final class TemporaryFolder: Sendable {
    let url: URL
    /// Holds a lock as long as the folder is in use.
    private let lock: Int32

    private static let prefix = "jersey-archive-"

    init() throws {
        let parent = FileManager.default.temporaryDirectory
        Self.removeLeftovers(in: parent)
        while true {
            let url = parent.appendingPathComponent(Self.prefix + UUID().uuidString)
            try FileManager.default.makeFolder(url, called: "a temporary folder")
            let lock = open(Self.lockPath(url), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            flock(lock, LOCK_EX)
            // Another thread or process that looked for leftovers may have been faster.
            if lock < 0 || FileManager.default.fileExists(atPath: Self.lockPath(url)) {
                (self.url, self.lock) = (url, lock)
                return
            }
            close(lock)
        }
    }

    deinit {
        Self.remove(url)
        close(lock)
    }

    /// The lock goes last: without it the next process would not know that this is in use, or what is left of it.
    private static func remove(_ folder: URL) {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: folder.path)) ?? [] where name != lockName {
            try? files.removeItem(at: folder.appendingPathComponent(name))
        }
        try? files.removeItem(at: folder)
    }

    private static let lockName = ".lock"

    private static func lockPath(_ folder: URL) -> String { folder.appendingPathComponent(lockName).path }

    private static func isOld(_ folder: URL) -> Bool {
        let made = try? FileManager.default.attributesOfItem(atPath: folder.path)[.modificationDate] as? Date
        return made.map { $0.timeIntervalSinceNow < -3600 } ?? false
    }

    private static func removeLeftovers(in parent: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let folder = parent.appendingPathComponent(name)
            let lock = open(lockPath(folder), O_RDWR | O_CLOEXEC)
            guard lock >= 0 else {
                // Its owner has not come to the lock yet, or what removed it was stopped there.
                if isOld(folder) { remove(folder) }
                continue
            }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { remove(folder) }
            close(lock)
        }
    }
}
