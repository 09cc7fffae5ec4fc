import CImage
import Foundation

/// An image that cannot be read or written: which one, why, and what to do about it.
public struct ImageError: Error, Equatable, Sendable {
    /// What is wrong with an image.
    public enum Reason: Equatable, Sendable {
        /// There is no such file.
        case missing
        /// You may not read the file.
        case noPermission
        /// The file cannot be read, for the reason that the system gives.
        case unreadable(String)
        /// The file has no bytes.
        case empty
        /// The image ends too early.
        case truncated
        /// The image has more pixels than allowed. The sizes are pixels; the limit is for width ×
        /// height.
        case tooLarge(width: Int, height: Int, limit: Int)
        /// The bytes are of no kind that is read. The text says what they are instead, such as "a
        /// HEIC image".
        case unsupported(String)
        /// The image cannot be decoded, for the reason that the decoder gives.
        case corrupt(String)
        /// The image cannot be encoded: the format, and the reason that the encoder gives.
        case unwritable(String, String)
    }

    /// The path of the image, or the name that the caller gave its bytes.
    public let name: String
    /// What is wrong.
    public let reason: Reason

    package init(name: String, reason: Reason) {
        self.name = name
        self.reason = reason
    }
}

extension ImageError: CustomStringConvertible, LocalizedError {
    /// The name, what is wrong and what to do, in one printable line.
    public var description: String { Shown.text(name, limit: 1000) + Shown.line(" \(reason)") }
    /// The same as `description`.
    public var errorDescription: String? { description }
}

extension ImageError.Reason: CustomStringConvertible {
    /// What is wrong and what to do, to follow the name of the image.
    public var description: String {
        switch self {
        case .missing: "does not exist; check the path"
        case .noPermission: "cannot be read: permission denied; change its permissions"
        case .unreadable(let why): "cannot be read (\(why)); check that it is an intact file"
        case .empty: "is empty; copy or export it again"
        case .truncated: "is truncated; copy or export it again"
        case .tooLarge(let width, let height, let limit):
            "is \(width)x\(height), more than the limit of \(limit) pixels; scale it down or crop it"
        case .unsupported(let what): "is \(what), which is not read; convert it to JPEG or PNG, or replace it"
        case .corrupt(let why): "cannot be decoded (\(why)); replace it, or save it again as JPEG or PNG"
        case .unwritable(let format, let why):
            "cannot be written as \(format) (\(why)); scale it down or crop it"
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
