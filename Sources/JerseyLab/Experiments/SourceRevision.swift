import Foundation
import JerseySupport

/// The version of jersey's sources.
enum SourceRevision {
    /// The git commit of the repository that contains the program. It ends in "-dirty" if sources
    /// are modified or newer than the program. Nil outside a repository or without git. It is
    /// looked up at run time and not compiled in, because SwiftPM caches what a manifest reads from
    /// git.
    static let current: String? = {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let folder = program.deletingLastPathComponent().path
        // The program may have been copied into an unrelated repository.
        guard let root = git(folder, "rev-parse", "--show-toplevel"),
            let manifest = try? String(contentsOfFile: root + "/Package.swift", encoding: .utf8),
            manifest.contains("name: \"jersey\""), let commit = git(root, "rev-parse", "HEAD")
        else { return nil }
        let sources = ["Package.swift", "Sources"]
        let files =
            git(root, ["ls-files", "-z", "--"] + sources)?.split(separator: "\0").map { root + "/" + $0 }
            ?? []
        let built = modified(program.path) ?? .distantPast
        let isExact =
            git(root, ["status", "--porcelain", "--"] + sources) == ""
            && files.allSatisfy { (modified($0) ?? .distantFuture) <= built }
        return commit + (isExact ? "" : "-dirty")
    }()

    private static func modified(_ path: String) -> Date? {
        try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    }

    private static func git(_ folder: String, _ arguments: String...) -> String? { git(folder, arguments) }

    private static func git(_ folder: String, _ arguments: [String]) -> String? {
        guard let git = try? ExternalProgram(["git", "-C", folder] + arguments), git.status == 0 else {
            return nil
        }
        return String(decoding: git.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
