import Foundation

/// Whether a folder is there, or a link to one.
package func isFolder(_ url: URL) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) && isDirectory.boolValue
}

extension FileManager {
    /// Makes a folder, and those above it, where they are missing.
    ///
    /// - Parameters:
    ///   - name: what the error calls it.
    ///   - owner: whose part it is, where the error should name that instead.
    /// - Throws: `FileError` with the system's reason.
    public func makeFolder(_ url: URL, called name: String = "the folder", of owner: URL? = nil) throws {
        do {
            try createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw FileError((owner ?? url).path, doing: "create \(name)", error: error)
        }
    }
}
