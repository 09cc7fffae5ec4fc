import Foundation

/// A private folder for temporary files, removed with the last reference to it. All our temporary
/// files are in one.
///
/// It is in the system's temporary folder, where other users may write. So it is created in one
/// step with access for its owner only (0700), it is written and removed through its descriptor,
/// and no link is followed on the way. Its owner holds a lock on it. A folder that a killed program
/// left has no lock, and the next program of the same user removes it.
package final class TemporaryFolder: Sendable {
    /// The purpose, which is part of the folder's name.
    package enum Purpose: String, CaseIterable, Sendable {
        case archive, benchmark
        /// Used by earlier versions.
        case upload

        fileprivate var prefix: String { "jersey-\(rawValue)-" }
    }

    package let url: URL
    private let parent: Int32
    private let folder: Int32

    /// - Parameter place: the parent folder.
    /// - Throws: `FileError` with the system's reason.
    package init(_ purpose: Purpose, in place: URL = FileManager.default.temporaryDirectory) throws {
        _ = Self.looked
        let parent = place.path.withFileSystemPath { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        func failure(_ code: Int32 = errno) -> FileError {
            FileError(
                place.path, "cannot hold temporary files: \(SystemError(code).reason)",
                advice: "set TMPDIR to a writable folder with free space")
        }
        guard parent >= 0 else { throw failure() }
        while true {
            let name = purpose.prefix + UUID().uuidString
            guard mkdirat(parent, name, 0o700) == 0 else {
                let code = errno
                close(parent)
                throw failure(code)
            }
            guard let folder = Self.lockedFolder(name, in: parent, waits: true) else {
                let code = errno
                // If it is gone, another process took it for a leftover before it was locked: try
                // again. Otherwise locking failed, and the empty folder is removed.
                if unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno == ENOENT { continue }
                close(parent)
                throw failure(code)
            }
            url = place.appendingPathComponent(name, isDirectory: true)
            self.parent = parent
            self.folder = folder
            return
        }
    }

    deinit {
        Self.remove(url.lastPathComponent, folder, in: parent)
        close(folder)
        close(parent)
    }

    /// Creates a new file with access for its owner only, and the folders above it.
    ///
    /// - Parameter parts: the names of the folders and the file. A name may not be "..", empty, or
    ///   contain a slash.
    /// - Returns: a descriptor, which the caller closes; nil, with `errno` set, if the file cannot
    ///   be created.
    package func makeFile(_ parts: [String]) -> Int32? {
        guard let name = parts.last,
            !parts.contains(where: { $0.isEmpty || $0 == ".." || $0.utf8.contains(UInt8(ascii: "/")) })
        else {
            errno = EINVAL
            return nil
        }
        var above = folder
        defer { if above != folder { close(above) } }
        for part in parts.dropLast() {
            let next = part.withFileSystemPath {
                mkdirat(above, $0, 0o700) == 0 || errno == EEXIST
                    ? openat(above, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1
            }
            guard next >= 0 else { return nil }
            if above != folder { close(above) }
            above = next
        }
        let file = name.withFileSystemPath {
            openat(above, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        return file >= 0 ? file : nil
    }

    // MARK: Leftovers

    /// Removes the folders, of every purpose, that killed programs of this user left.
    package static func removeLeftovers(in place: URL = FileManager.default.temporaryDirectory) {
        let parent = place.path.withFileSystemPath { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard parent >= 0 else { return }
        defer { close(parent) }
        for name in (FileNames.list(parent) ?? []) where isOurs(name) {
            if let folder = lockedFolder(name, in: parent, waits: false) {
                if !isLockedTheFormerWay(folder) { remove(name, folder, in: parent) }
                close(folder)
            } else if isFormerUpload(name, in: parent) {
                unlinkat(parent, name, 0)
            }
        }
    }

    /// A program may create many temporary folders, but it removes leftovers only before the first.
    private static let looked: Void = removeLeftovers()

    /// Checks the full name, so that a user's own "jersey-archive-2024" is not removed.
    private static func isOurs(_ name: String) -> Bool {
        Purpose.allCases.contains {
            name.hasPrefix($0.prefix) && UUID(uuidString: String(name.dropFirst($0.prefix.count))) != nil
        }
    }

    /// Opens a folder of this user and locks it.
    ///
    /// - Returns: nil if it is a link or not a folder, belongs to another user, is in use, or is
    ///   gone.
    private static func lockedFolder(_ name: String, in parent: Int32, waits: Bool) -> Int32? {
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        var status = stat()
        // On a file system without locks, nothing is taken for a leftover.
        let isLocked = flock(folder, LOCK_EX | (waits ? 0 : LOCK_NB)) == 0 || waits
        if isLocked, fstat(folder, &status) == 0, status.st_uid == geteuid(),
            isStill(folder, name, in: parent)
        {
            return folder
        }
        close(folder)
        return nil
    }

    /// Whether the name still refers to the open folder.
    private static func isStill(_ folder: Int32, _ name: String, in parent: Int32) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(folder, &opened) == 0 && fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0
            && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    /// Earlier versions locked a file in the folder.
    private static func isLockedTheFormerWay(_ folder: Int32) -> Bool {
        let lock = openat(folder, ".lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        return flock(lock, LOCK_EX | LOCK_NB) != 0
    }

    /// Earlier versions wrote uploads without a folder. An upload in use is only minutes old.
    private static func isFormerUpload(_ name: String, in parent: Int32) -> Bool {
        var status = stat()
        return name.hasPrefix(Purpose.upload.prefix)
            && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid()
            && time(nil) - status.st_mtim.tv_sec > 3600
    }

    private static func remove(_ name: String, _ folder: Int32, in parent: Int32) {
        removeContent(of: folder, depth: 0)
        if isStill(folder, name, in: parent) { unlinkat(parent, name, AT_REMOVEDIR) }
    }

    /// Removes links without following them, and leaves mounted file systems alone.
    private static func removeContent(of folder: Int32, depth: Int) {
        var here = stat()
        guard depth < 64, fstat(folder, &here) == 0 else { return }
        for name in FileNames.list(folder) ?? [] {
            name.withFileSystemPath { name in
                guard unlinkat(folder, name, 0) != 0 else { return }
                let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                guard inner >= 0 else { return }
                var status = stat()
                if fstat(inner, &status) == 0, status.st_dev == here.st_dev {
                    removeContent(of: inner, depth: depth + 1)
                }
                close(inner)
                unlinkat(folder, name, AT_REMOVEDIR)
            }
        }
    }
}
