import CImage
import Foundation

/// The header of an image. The pixels may still be damaged.
package struct ImageInfo: Sendable, Equatable {
    package enum Format: String, Sendable {
        case jpeg = "JPEG"
        case png = "PNG"
        case other = "another format"
    }

    package let format: Format
    /// Pixels after EXIF orientation, as in `RGBImage`.
    package let width: Int
    package let height: Int

    /// - Parameter name: what an error calls the image.
    /// - Throws: `ImageError`.
    package init(decoding bytes: Data, named name: String) throws {
        var info = ci_info()
        let (status, message) = withMessage { message, capacity in
            bytes.withUnsafeBytes {
                ci_read_info(
                    $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count, &info, message, capacity)
            }
        }
        if status == .unsupported {
            // Decoded as a whole, for want of a library that reads their headers.
            let image = try RGBImage(decoding: bytes, named: name, maximumPixels: 1 << 28)
            (format, width, height) = (.other, image.width, image.height)
            return
        }
        width = Int(info.width)
        height = Int(info.height)
        format = info.format == .png ? .png : .jpeg
        if let reason = ImageError.Reason(status, message, width: width, height: height, limit: .max) {
            throw ImageError(name: name, reason: reason)
        }
    }

    package init(contentsOf url: URL) throws {
        try self.init(decoding: imageData(contentsOf: url), named: url.path)
    }
}

/// Calls C with room for a message, and returns what was written there.
func withMessage(_ body: (UnsafeMutablePointer<CChar>, Int) -> ci_status) -> (ci_status, String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        buffer.initialize(repeating: 0)
        let message = buffer.baseAddress!
        let status = body(message, buffer.count)
        return (status, String(cString: message))
    }
}

/// The bytes of a file, or an `ImageError` that names it.
func imageData(contentsOf url: URL) throws -> Data {
    do {
        return try Data(wholeFile: url.path)
    } catch {
        let reason: ImageError.Reason =
            switch error.code {
            case ENOENT, ENOTDIR: .missing
            case EACCES, EPERM: .noPermission
            case EISDIR: .unreadable("it is a folder")
            default: .unreadable(error.reason)
            }
        throw ImageError(name: url.path, reason: reason)
    }
}
