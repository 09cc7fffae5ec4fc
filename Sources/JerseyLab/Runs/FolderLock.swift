import Foundation
import JerseySupport

/// An advisory lock on a file; gone with the process, however it ends.
package final class FolderLock: Sendable {
    private let file: Int32

    /// - Throws: `taken` when another process holds the lock; `FileError` when the file cannot be created.
    init(_ url: URL, orElse taken: FileError) throws {
        file = url.path.withFileSystemPath { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        guard file >= 0 else { throw FileError(url.path, "cannot create the file: \(SystemError().reason)") }
        var whole = Self.whole
        guard fcntl(file, Self.setLock, &whole) == 0 else {
            close(file)
            throw taken
        }
    }

    /// Whether some process holds the lock now. A look takes no lock, so that it is in nobody's way.
    static func isHeld(_ url: URL) -> Bool {
        let file = url.path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { return false }
        defer { close(file) }
        var whole = Self.whole
        return fcntl(file, Self.getLock, &whole) == 0 && whole.l_type != Int16(F_UNLCK)
    }

    // F_OFD_SETLK and F_OFD_GETLK of Linux, which Swift's Glibc does not name: locks of the open file and not of the process, so that
    // two holders within one process exclude each other, too.
    private static let setLock: Int32 = 37
    private static let getLock: Int32 = 36
    private static var whole: flock {
        flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }

    deinit {
        close(file)
    }
}
