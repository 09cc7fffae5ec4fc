import Foundation

/// A fresh folder. It is removed with the last reference to it.
package final class TestFolder: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("jersey-tests-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    package func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// A path that does not exist, in a folder that does not exist.
    package static let missing = FileManager.default.temporaryDirectory
        .appendingPathComponent("jersey-tests-\(UUID())/missing").path
}

/// Calls `body` with a fresh folder, then removes the folder.
package func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = try TestFolder()
    defer { withExtendedLifetime(folder) {} }
    return try body(folder.url)
}

extension URL {
    /// Writes a file below this folder, and creates the folders that it needs.
    package func add(_ path: String, _ content: Data = Data()) throws {
        let url = appendingPathComponent(path)
        let folder = url.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try content.write(to: url)
    }
}
