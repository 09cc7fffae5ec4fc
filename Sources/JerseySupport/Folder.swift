import Foundation

extension FileNames {
    /// Whether the URL is a folder, or a link to one.
    package static func isFolder(_ url: URL) -> Bool { kind(url.path) == .folder }
}

extension FileManager {
    /// Creates a folder and its missing parents.
    ///
    /// - Parameters:
    ///   - name: what an error calls the folder.
    ///   - owner: the path that an error names instead of the folder's.
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
        // Another thread or process may have created it meanwhile.
        guard
            path.withFileSystemPath({ mkdir($0, 0o777) }) == 0
                || (errno == EEXIST && FileNames.kind(path) == .folder)
        else {
            throw SystemError()
        }
    }
}
