import Foundation

/// Which version of the sources runs are made with.
enum SourceRevision {
    /// The git commit of the repository that the program was built in, or else of the working folder; with "-dirty" where
    /// something is changed; nil outside a repository or without git.
    static let current: String? = {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        for folder in [program, FileManager.default.currentDirectoryPath] {
            guard let commit = git(folder, "rev-parse", "HEAD"), !commit.isEmpty else { continue }
            let changes = git(folder, "status", "--porcelain", "--untracked-files=no") ?? ""
            return commit + (changes.isEmpty ? "" : "-dirty")
        }
        return nil
    }()

    private static func git(_ folder: String, _ arguments: String...) -> String? {
        guard let git = try? ExternalProgram(["git", "-C", folder] + arguments), git.status == 0 else { return nil }
        return String(decoding: git.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
