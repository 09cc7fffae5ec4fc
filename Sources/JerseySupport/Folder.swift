import Foundation

extension FileNames {
    /// Whether a folder is there, or a link to one.
    package static func isFolder(_ url: URL) -> Bool { kind(url.path) == .folder }
}

extension FileManager {
    /// Makes a folder, and those above it, where they are missing.
    ///
    /// - Parameters:
    ///   - name: what the error calls it.
    ///   - owner: whose part it is, where the error should name that instead.
    /// - Throws: `FileError` with the system's reason.
    package func makeFolder(_ url: URL, called name: String = "the folder", of owner: URL? = nil) throws {
        do {
            try Self.make(url.path)
        } catch {
            throw FileError((owner ?? url).path, doing: "create \(name)", error: error)
        }
    }

    private static func make(_ path: String) throws {
        guard FileNames.kind(path) != .folder else { return }
        let parent = path.parentPath
        if !parent.isEmpty { try make(parent) }
        // Another thread or process may have been faster.
        guard path.withFileSystemPath({ mkdir($0, 0o777) }) == 0 || (errno == EEXIST && FileNames.kind(path) == .folder) else {
            throw SystemError()
        }
    }
}
