import Foundation

/// Names that folders of data sets have, and what folders hold.
package enum FolderLayout {
    /// Beside the numbers' folders, and laid out like them: sequences in which no number can be seen.
    package static let unreadable = "unreadable"
    /// SoccerNet's, which holds the players' folders.
    package static let images = "images"

    /// Whether a data set, of either layout, has a folder of that name at its top.
    package static func isTop(_ name: String) -> Bool { JerseyNumber(name) != nil || [unreadable, images].contains(name) }

    /// Names of what a folder holds, hidden ones left out, in natural order whatever the file system's.
    ///
    /// - Throws: `FileError` when it cannot be listed.
    package static func listNames(in url: URL) throws -> [String] {
        guard let names = FileNames.list(url.path) else {
            let error = SystemError()
            switch FileNames.kind(url.path) {
            case nil: throw FileError(url.path, "does not exist")
            case .folder: throw FileError(url.path, doing: "list the folder", error: error)
            default: throw FileError(url.path, "is a file, and not a folder")
            }
        }
        return names.filter { !FrameOrder.isHidden($0) }.sorted(by: naturallyPrecedes)
    }

    /// Names of the folders in a folder, as `listNames` has them.
    package static func listSubfolders(in url: URL) throws -> [String] {
        try listNames(in: url).filter { FileNames.isFolder(url.appendingPathComponent($0)) }
    }
}
