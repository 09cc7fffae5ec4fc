import Foundation

/// The folder names of data sets, and listings of folders.
package enum FolderLayout {
    /// The folder of sequences in which no number can be seen. It is beside the numbers' folders
    /// and laid out like them.
    package static let unreadable = "unreadable"
    /// SoccerNet's folder that holds the players' folders.
    package static let images = "images"

    /// Whether a data set of either layout has a folder of that name at its top level.
    package static func isTop(_ name: String) -> Bool {
        JerseyNumber(name) != nil || [unreadable, images].contains(name)
    }

    /// The names in a folder, in natural order and without hidden ones.
    ///
    /// - Throws: `FileError` if the folder cannot be listed.
    package static func listNames(in url: URL) throws -> [String] {
        guard let names = FileNames.list(url.path) else {
            let error = SystemError()
            switch FileNames.kind(url.path) {
            case nil: throw FileError(url.path, "does not exist")
            case .folder: throw FileError(url.path, doing: "list the folder", error: error)
            default: throw FileError(url.path, "is a file, not a folder")
            }
        }
        return names.filter { !FrameOrder.isHidden($0) }.sorted(by: naturallyPrecedes)
    }

    /// The names of the folders in a folder, in the order of `listNames`.
    package static func listSubfolders(in url: URL) throws -> [String] {
        try listNames(in: url).filter { FileNames.isFolder(url.appendingPathComponent($0)) }
    }
}
