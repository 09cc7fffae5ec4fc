import Foundation

/// Writes that a crash cannot cut in half: a temporary file beside the target, fsync, rename, fsync of the folder.
package enum AtomicFile {
    private static let suffix = ".partial"

    /// Whether a file is the temporary one of a write that was cut off.
    package static func isLeftover(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(suffix) }

    /// Removes what a kill within a write has left in `folder`. Only for whoever alone writes there.
    package static func removeLeftovers(in folder: URL) {
        for name in FileNames.list(folder.path) ?? [] where isLeftover(name) {
            _ = folder.appendingPathComponent(name).path.withFileSystemPath(unlink)
        }
    }

    /// Says before any work is done what is wrong with a path to write.
    ///
    /// - Parameter inputs: files that are read, and must not be written over.
    /// - Throws: `FileError` for a folder that is not there, a path that is one or a device, and an input.
    package static func check(_ path: String, unlike inputs: [String] = []) throws {
        let url = URL(fileURLWithPath: path)
        guard FileNames.isFolder(url.deletingLastPathComponent()) else {
            throw FileError(path, "is in no folder that exists", advice: "make the folder first")
        }
        let real = url.resolvingSymlinksInPath().path
        if let kind = try? FileManager.default.attributesOfItem(atPath: real)[.type] as? FileAttributeType, kind != .typeRegular {
            throw FileError(path, kind == .typeDirectory ? "is a folder" : "is no regular file", advice: "name a file to write")
        }
        guard !inputs.contains(where: { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path == real }) else {
            throw FileError(path, "is what is read", advice: "name another file to write, or it would be lost")
        }
    }

    /// - Parameter synced: waits until it is on the disk; without, a power cut may lose it, a kill still cannot cut it in half.
    /// - Throws: `FileError` with the system's reason; the former file, if any, is untouched and nothing is left behind.
    package static func write(_ pieces: [UnsafeRawBufferPointer], to url: URL, synced: Bool = true) throws {
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString)\(suffix)")
        func failure(_ action: String) -> FileError {
            let code = errno
            let advice = code == ENOSPC || code == EDQUOT ? "free some space and run again; what was there before is kept" : nil
            return FileError(url.path, "cannot \(action): \(SystemError(code).reason)", advice: advice)
        }
        let file = temporary.path.withFileSystemPath { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) }
        guard file >= 0 else { throw failure("create the file") }
        do {
            defer { close(file) }
            for piece in pieces { try write(piece, to: file, failure) }
            guard !synced || fsync(file) == 0 else { throw failure("write") }
        } catch {
            _ = temporary.path.withFileSystemPath(unlink)
            throw error
        }
        guard temporary.path.withFileSystemPath({ from in url.path.withFileSystemPath { rename(from, $0) } }) == 0 else {
            let error = failure("replace the file")
            _ = temporary.path.withFileSystemPath(unlink)
            throw error
        }
        guard synced else { return }
        let folder = url.deletingLastPathComponent().path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    package static func write(_ data: Data, to url: URL, synced: Bool = true) throws {
        try data.withUnsafeBytes { try write([$0], to: url, synced: synced) }
    }

    private static func write(_ piece: UnsafeRawBufferPointer, to file: Int32, _ failure: (String) -> FileError) throws {
        var rest = piece[...]
        while !rest.isEmpty {
            let written = Foundation.write(file, rest.baseAddress, min(rest.count, 1 << 30))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw failure("write") }
            rest = rest.dropFirst(written)
        }
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var baseAddress: UnsafeRawPointer? { base.baseAddress.map { $0 + startIndex } }
}
