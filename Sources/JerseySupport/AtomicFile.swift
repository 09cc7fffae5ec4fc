import Foundation

/// Atomic writes: a crash leaves the old file or the new one, never half of it. A write goes to a
/// temporary file beside the target, followed by fsync, rename, and fsync of the folder.
package enum AtomicFile {
    private static let suffix = ".partial"

    /// Whether the name is that of a temporary file, left by an interrupted write.
    package static func isLeftover(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(suffix) }

    /// Removes the temporary files that killed writes left in `folder`. Call it only if nothing
    /// else writes there.
    package static func removeLeftovers(in folder: URL) {
        for name in FileNames.list(folder.path) ?? [] where isLeftover(name) {
            _ = folder.appendingPathComponent(name).path.withFileSystemPath(unlink)
        }
    }

    /// Checks an output path before any work is done.
    ///
    /// - Parameter inputs: input files, which must not be overwritten.
    /// - Throws: `FileError` if the folder does not exist, or if the path is a folder, a device or
    ///   an input.
    package static func check(_ path: String, unlike inputs: [String] = []) throws {
        let url = URL(fileURLWithPath: path)
        guard FileNames.isFolder(url.deletingLastPathComponent()) else {
            throw FileError(path, "is in a folder that does not exist", advice: "create the folder first")
        }
        let real = url.resolvingSymlinksInPath().path
        if let kind = try? FileManager.default.attributesOfItem(atPath: real)[.type] as? FileAttributeType,
            kind != .typeRegular
        {
            throw FileError(
                path, kind == .typeDirectory ? "is a folder" : "is not a regular file",
                advice: "name a file to write")
        }
        guard !inputs.contains(where: { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path == real })
        else {
            throw FileError(
                path, "is an input", advice: "name another output file; this one would be overwritten")
        }
    }

    /// - Parameter synced: waits until the data is on disk. Without it a power cut may lose the
    ///   write, but a kill still cannot truncate the file.
    /// - Throws: `FileError` with the system's reason. Any previous file is then unchanged, and no
    ///   temporary file remains.
    package static func write(_ pieces: [UnsafeRawBufferPointer], to url: URL, synced: Bool = true) throws {
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString)\(suffix)")
        func failure(_ action: String) -> FileError {
            let code = errno
            let advice =
                code == ENOSPC || code == EDQUOT
                ? "free some space and run again; the previous file is unchanged" : nil
            return FileError(url.path, "cannot \(action): \(SystemError(code).reason)", advice: advice)
        }
        let file = temporary.path.withFileSystemPath {
            open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        }
        guard file >= 0 else { throw failure("create the file") }
        do {
            defer { close(file) }
            for piece in pieces { try write(piece, to: file, failure) }
            guard !synced || fsync(file) == 0 else { throw failure("write") }
        } catch {
            _ = temporary.path.withFileSystemPath(unlink)
            throw error
        }
        guard
            temporary.path.withFileSystemPath({ from in url.path.withFileSystemPath { rename(from, $0) } })
                == 0
        else {
            let error = failure("replace the file")
            _ = temporary.path.withFileSystemPath(unlink)
            throw error
        }
        guard synced else { return }
        let folder = url.deletingLastPathComponent().path.withFileSystemPath {
            open($0, O_RDONLY | O_CLOEXEC)
        }
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    package static func write(_ data: Data, to url: URL, synced: Bool = true) throws {
        try data.withUnsafeBytes { try write([$0], to: url, synced: synced) }
    }

    private static func write(
        _ piece: UnsafeRawBufferPointer, to file: Int32, _ failure: (String) -> FileError
    ) throws {
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
