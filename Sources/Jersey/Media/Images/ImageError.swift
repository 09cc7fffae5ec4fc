import CImage
import Foundation

/// An image that cannot be read or written: which one, why, and what to do.
public struct ImageError: Error, Equatable, Sendable {
    public enum Reason: Equatable, Sendable {
        case missing
        case noPermission
        /// The system's reason.
        case unreadable(String)
        case empty
        case truncated
        /// Sizes in pixels; the limit is of width × height.
        case tooLarge(width: Int, height: Int, limit: Int)
        /// What it is instead: "a GIF image".
        case unsupported(String)
        /// The decoder's reason.
        case corrupt(String)
        /// The format, and the encoder's reason.
        case unwritable(String, String)
    }

    /// The path, or whatever the caller named the bytes.
    public let name: String
    public let reason: Reason

    package init(name: String, reason: Reason) {
        self.name = name
        self.reason = reason
    }
}

extension ImageError: CustomStringConvertible, LocalizedError {
    public var description: String { Shown.text(name, limit: 1000) + Shown.line(" \(reason)") }
    public var errorDescription: String? { description }
}

extension ImageError.Reason: CustomStringConvertible {
    /// What follows the name: what is wrong, and the way out.
    public var description: String {
        switch self {
        case .missing: "does not exist; check the path"
        case .noPermission: "may not be read by you; change its permissions"
        case .unreadable(let why): "cannot be read (\(why)); check that it is an intact file"
        case .empty: "is empty; copy or export it again"
        case .truncated: "is truncated; copy or export it again"
        case .tooLarge(let width, let height, let limit):
            "is \(width)x\(height), more than the limit of \(limit) pixels; scale it down or crop it"
        case .unsupported(let what): "is \(what), not a JPEG or PNG image; convert or replace it"
        case .corrupt(let why): "cannot be decoded (\(why)); replace it, or save it again as JPEG or PNG"
        case .unwritable(let format, let why): "cannot be written as \(format) (\(why)); scale it down or crop it"
        }
    }

    /// Nil for success.
    init?(_ status: ci_status, _ message: String, width: Int, height: Int, limit: Int) {
        switch status {
        case .ok: return nil
        case .empty: self = .empty
        case .truncated: self = .truncated
        case .too_large: self = .tooLarge(width: width, height: height, limit: limit)
        case .unsupported: self = .unsupported(message)
        case .no_memory: self = .unreadable("not enough memory")
        case .failed: self = .corrupt(message)
        }
    }
}
