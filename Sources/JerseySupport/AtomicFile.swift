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
        try write(to: url, synced: synced) { add in
            for piece in pieces { try add(piece) }
        }
    }

    package static func write(_ data: Data, to url: URL, synced: Bool = true) throws {
        try data.withUnsafeBytes { try write([$0], to: url, synced: synced) }
    }

    /// Writes a file that is larger than memory, under the same rules.
    ///
    /// - Parameter body: gets a function that writes the next piece. What it throws ends the write.
    package static func write(
        to url: URL, synced: Bool = true,
        _ body: (_ add: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let temporary = temporaryName(beside: url)
        do {
            let file = temporary.path.withFileSystemPath {
                open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            }
            guard file >= 0 else { throw failure(url, "create the file") }
            defer { close(file) }
            try body { try append($0, to: file, of: url) }
            guard !synced || fsync(file) == 0 else { throw failure(url, "write") }
        } catch {
            _ = temporary.path.withFileSystemPath(unlink)
            throw error
        }
        try replace(url, by: temporary, synced: synced)
    }

    /// Writes a file that must not be there yet: of several processes that try at once, one does.
    ///
    /// - Returns: false if the file is there already. It is then unchanged.
    package static func create(_ data: Data, at url: URL) throws -> Bool {
        let temporary = temporaryName(beside: url)
        try write(data, to: temporary)
        guard
            temporary.path.withFileSystemPath({ from in url.path.withFileSystemPath { link(from, $0) } }) == 0
        else {
            let code = errno
            // A file system without links.
            if code != EEXIST, !FileNames.exists(url.path) {
                try replace(url, by: temporary, synced: true)
                return true
            }
            _ = temporary.path.withFileSystemPath(unlink)
            return false
        }
        _ = temporary.path.withFileSystemPath(unlink)
        sync(url.deletingLastPathComponent())
        return true
    }

    // MARK: Steps

    /// Renames a whole file over another, or to a name that is not there yet. If that fails, the
    /// temporary file is removed.
    ///
    /// - Parameter synced: waits until the new name is on disk.
    package static func replace(_ url: URL, by temporary: URL, synced: Bool = true) throws {
        guard
            temporary.path.withFileSystemPath({ from in url.path.withFileSystemPath { rename(from, $0) } })
                == 0
        else {
            let error = failure(url, "replace the file")
            _ = temporary.path.withFileSystemPath(unlink)
            throw error
        }
        if synced { sync(url.deletingLastPathComponent()) }
    }

    /// Writes all bytes to an open file.
    ///
    /// - Parameter url: what an error calls the file.
    package static func append(_ piece: UnsafeRawBufferPointer, to file: Int32, of url: URL) throws {
        var rest = piece[...]
        while !rest.isEmpty {
            let written = Foundation.write(file, rest.baseAddress, min(rest.count, 1 << 30))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw failure(url, "write") }
            rest = rest.dropFirst(written)
        }
    }

    /// An error with the system's reason.
    package static func failure(_ url: URL, _ action: String) -> FileError {
        let code = errno
        let advice =
            code == ENOSPC || code == EDQUOT
            ? "free some space and run again; the previous file is unchanged" : nil
        return FileError(url.path, "cannot \(action): \(SystemError(code).reason)", advice: advice)
    }

    private static func temporaryName(beside url: URL) -> URL {
        url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString)\(suffix)")
    }

    private static func sync(_ folder: URL) {
        let folder = folder.path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var baseAddress: UnsafeRawPointer? { base.baseAddress.map { $0 + startIndex } }
}
