import Foundation

/// An advisory lock on a file. The kernel releases it when the process ends, however it ends.
package final class FolderLock: Sendable {
    private let file: Int32

    /// - Throws: `taken` if another process holds the lock; `FileError` if the file cannot be
    ///   created.
    package init(_ url: URL, orElse taken: FileError) throws {
        file = url.path.withFileSystemPath { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        guard file >= 0 else { throw FileError(url.path, "cannot create the file: \(SystemError().reason)") }
        var whole = Self.whole
        guard fcntl(file, Self.setLock, &whole) == 0 else {
            close(file)
            throw taken
        }
    }

    /// Whether a process holds the lock. The query itself takes no lock.
    package static func isHeld(_ url: URL) -> Bool {
        let file = url.path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { return false }
        defer { close(file) }
        var whole = Self.whole
        return fcntl(file, Self.getLock, &whole) == 0 && whole.l_type != Int16(F_UNLCK)
    }

    // Linux's F_OFD_SETLK and F_OFD_GETLK, which Swift's Glibc lacks. They lock the open file
    // instead of the process, so two holders within one process also exclude each other.
    private static let setLock: Int32 = 37
    private static let getLock: Int32 = 36
    private static var whole: flock {
        flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }

    deinit {
        close(file)
    }
}
