import Foundation

/// A file or folder that cannot be used: which one, what is wrong, and what to do about it.
public struct FileError: LocalizedError, CustomStringConvertible, Sendable, Equatable {
    /// The file or folder.
    public let path: String
    /// What is wrong, to follow the path.
    public let reason: String
    /// What you can do, a sentence without its full stop; nil where there is nothing to add.
    public let advice: String?
    package let remedy: Remedy?

    package init(_ path: String, _ reason: String, advice: String? = nil, remedy: Remedy? = nil) {
        self.path = path
        self.reason = reason
        self.advice = advice
        self.remedy = remedy
    }

    /// An error with the operating system's reason for `error`, a Foundation or POSIX error.
    package init(_ path: String, doing action: String, error: any Error, advice: String? = nil) {
        let code = ((error as? CocoaError)?.underlying as? POSIXError ?? error as? POSIXError)?.code
        let reason =
            (error as? SystemError)?.reason ?? code.map { SystemError($0.rawValue).reason }
            ?? error.localizedDescription
        self.init(path, "cannot \(action): \(reason)", advice: advice)
    }

    /// The path, what is wrong and what to do, in one printable line.
    public var description: String {
        Shown.text(path, limit: 1000) + Shown.line(": \(reason)") + Shown.line(advice.map { "; \($0)" } ?? "")
    }

    /// The same as `description`.
    public var errorDescription: String? { description }
}

extension Data {
    /// Reads a whole file. It is not mapped, because truncating a mapped file would crash the
    /// program.
    ///
    /// - Throws: `FileError` with the system's reason.
    package init(reading url: URL) throws {
        do {
            try self.init(wholeFile: url.path)
        } catch {
            throw FileError(url.path, doing: "read", error: error)
        }
    }
}
