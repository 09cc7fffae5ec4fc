import Foundation

/// A folder for files that nobody else may see, gone with the last reference to it. All temporary files lie in one.
///
/// It lies in the system's temporary folder, where others may write, too. So it is made for its owner alone in one step (0700), written
/// and removed through its descriptor, and no link is followed on the way. Its owner holds a lock on it: what a killed program leaves
/// carries none, and the next program of the same user removes it.
package final class TemporaryFolder: Sendable {
    /// What it is for, as its name tells.
    package enum Purpose: String, CaseIterable, Sendable {
        case archive, benchmark
        /// Earlier programs made these.
        case upload

        fileprivate var prefix: String { "jersey-\(rawValue)-" }
    }

    package let url: URL
    private let parent: Int32
    private let folder: Int32

    /// - Parameter place: where it is made.
    /// - Throws: `FileError` with the system's reason.
    package init(_ purpose: Purpose, in place: URL = FileManager.default.temporaryDirectory) throws {
        _ = Self.looked
        let parent = place.path.withFileSystemPath { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        func failure(_ code: Int32 = errno) -> FileError {
            FileError(
                place.path, "cannot hold temporary files: \(SystemError(code).reason)",
                advice: "let TMPDIR name a folder with room that you may write to")
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
                // Gone: whoever looked for leftovers at this moment was faster. Else it is of no use here.
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

    /// Makes a file that is not there yet, for its owner alone, and the folders above it.
    ///
    /// - Parameter parts: names of folders and of the file; none of them is "..", empty, or has a slash.
    /// - Returns: its descriptor, to be closed; nil with `errno` where it cannot be made.
    package func makeFile(_ parts: [String]) -> Int32? {
        guard let name = parts.last, !parts.contains(where: { $0.isEmpty || $0 == ".." || $0.utf8.contains(UInt8(ascii: "/")) })
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
        let file = name.withFileSystemPath { openat(above, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600) }
        return file >= 0 ? file : nil
    }

    // MARK: Leftovers

    /// Removes what killed programs of this user have left, of every purpose.
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

    /// The first temporary folder is the occasion to look; a program may make many.
    private static let looked: Void = removeLeftovers()

    /// By the name in full, so that nobody's own "jersey-archive-2024" is taken for one.
    private static func isOurs(_ name: String) -> Bool {
        Purpose.allCases.contains {
            name.hasPrefix($0.prefix) && UUID(uuidString: String(name.dropFirst($0.prefix.count))) != nil
        }
    }

    /// Opens a folder of this user, and takes its lock.
    ///
    /// - Returns: nil where it is no folder but a link, another user's, in use, or gone.
    private static func lockedFolder(_ name: String, in parent: Int32, waits: Bool) -> Int32? {
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        var status = stat()
        // Where a file system has no locks, nothing is ever taken for a leftover.
        let isLocked = flock(folder, LOCK_EX | (waits ? 0 : LOCK_NB)) == 0 || waits
        if isLocked, fstat(folder, &status) == 0, status.st_uid == geteuid(), isStill(folder, name, in: parent) { return folder }
        close(folder)
        return nil
    }

    /// Whether a name still stands for what was opened by it.
    private static func isStill(_ folder: Int32, _ name: String, in parent: Int32) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(folder, &opened) == 0 && fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0
            && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    /// Earlier programs locked a file in it.
    private static func isLockedTheFormerWay(_ folder: Int32) -> Bool {
        let lock = openat(folder, ".lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        return flock(lock, LOCK_EX | LOCK_NB) != 0
    }

    /// Earlier programs wrote uploads without a folder. One that is in use is minutes old.
    private static func isFormerUpload(_ name: String, in parent: Int32) -> Bool {
        var status = stat()
        return name.hasPrefix(Purpose.upload.prefix) && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid() && time(nil) - status.st_mtim.tv_sec > 3600
    }

    private static func remove(_ name: String, _ folder: Int32, in parent: Int32) {
        removeContent(of: folder, depth: 0)
        if isStill(folder, name, in: parent) { unlinkat(parent, name, AT_REMOVEDIR) }
    }

    /// Links are removed, not followed, and what is mounted there stays.
    private static func removeContent(of folder: Int32, depth: Int) {
        var here = stat()
        guard depth < 64, fstat(folder, &here) == 0 else { return }
        for name in FileNames.list(folder) ?? [] {
            name.withFileSystemPath { name in
                guard unlinkat(folder, name, 0) != 0 else { return }
                let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                guard inner >= 0 else { return }
                var status = stat()
                if fstat(inner, &status) == 0, status.st_dev == here.st_dev { removeContent(of: inner, depth: depth + 1) }
                close(inner)
                unlinkat(folder, name, AT_REMOVEDIR)
            }
        }
    }
}
