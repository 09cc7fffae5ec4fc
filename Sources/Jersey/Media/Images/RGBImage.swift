import CImage
import CVideo
import Foundation

/// An 8-bit colour image in memory.
///
/// It is read from JPEG and PNG, and from WebP, BMP, TIFF, GIF and AVIF, which are told apart by
/// content and never by name. Grey, palette, CMYK and 16-bit images become RGB, and alpha is
/// dropped. The bytes of JPEG and PNG are those of Pillow's `convert("RGB")`, except for 16-bit grey
/// images: we keep the high byte of each value, Pillow clips. The EXIF orientation is applied, which
/// neither the study nor Pillow by itself does. An animation gives its first image.
public struct RGBImage: Sendable, Equatable {
    /// Pixels, at least 1.
    public let width: Int
    /// Pixels, at least 1.
    public let height: Int
    /// The values 0...255 in the order (height, width, 3): row by row, each pixel as red, green,
    /// blue.
    public var pixels: [UInt8]

    /// An image of given pixels.
    ///
    /// - Parameters:
    ///   - width: pixels, at least 1.
    ///   - height: pixels, at least 1.
    ///   - pixels: height × width × 3 values, row by row, each pixel as red, green, blue; another
    ///     count is a bug and traps.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "an image is at least 1x1, not \(width)x\(height)")
        precondition(
            pixels.count == width * height * 3,
            "\(width)x\(height) needs \(width * height * 3) values, not \(pixels.count)")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Decodes a whole picture.
    ///
    /// - Parameters:
    ///   - bytes: the content of a file.
    ///   - name: what an error calls the image.
    ///   - maximumPixels: the limit for width × height. The size in the header is compared with it
    ///     before anything is allocated.
    /// - Throws: `ImageError`, also for an image that ends too early.
    public init(decoding bytes: Data, named name: String, maximumPixels: Int = 64_000_000) throws {
        var image = ci_image()
        defer { ci_release(&image) }
        let (status, message) = withMessage { message, capacity in
            bytes.withUnsafeBytes {
                ci_decode(
                    $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count, Int64(maximumPixels),
                    &image, message, capacity
                )
            }
        }
        if status == .unsupported {
            let isRead = try Self.decodeOther(bytes, named: name, maximumPixels, into: &image)
            if !isRead { throw ImageError(name: name, reason: .unsupported(message)) }
        }
        let (width, height) = (Int(image.width), Int(image.height))
        if status != .unsupported,
            let reason = ImageError.Reason(
                status, message, width: width, height: height, limit: maximumPixels)
        {
            throw ImageError(name: name, reason: reason)
        }
        self.init(
            width: width, height: height,
            pixels: [UInt8](UnsafeBufferPointer(start: image.pixels, count: width * height * 3)))
    }

    /// Decodes a picture that is neither JPEG nor PNG, and turns it upright.
    ///
    /// - Returns: whether the format is known.
    /// - Throws: `ImageError`.
    private static func decodeOther(
        _ bytes: Data, named name: String, _ maximumPixels: Int, into image: inout ci_image
    ) throws -> Bool {
        var picture = cv_picture()
        let (status, message) = withVideoMessage { message, capacity in
            bytes.withUnsafeBytes {
                cv_picture_decode(
                    $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count, Int64(maximumPixels),
                    &picture, message, capacity)
            }
        }
        switch status {
        case .ok: break
        case .unsupported: return false
        case .too_large:
            let (width, height) = (Int(picture.width), Int(picture.height))
            throw ImageError(
                name: name, reason: .tooLarge(width: width, height: height, limit: maximumPixels))
        case .no_memory: throw ImageError(name: name, reason: .unreadable("not enough memory"))
        default: throw ImageError(name: name, reason: .corrupt(message))
        }
        // Both libraries give memory of malloc.
        image = ci_image(width: picture.width, height: picture.height, pixels: picture.rgb)
        let orientation = bytes.withUnsafeBytes {
            ci_orientation($0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
        }
        guard ci_orient(&image, orientation) else {
            throw ImageError(name: name, reason: .unreadable("not enough memory"))
        }
        return true
    }

    /// Reads and decodes a file.
    ///
    /// - Parameters:
    ///   - url: a JPEG or PNG file, or one of another kind that is read.
    ///   - maximumPixels: the limit for width × height, compared before anything is allocated.
    /// - Throws: `ImageError`, also for an image that ends too early.
    public init(contentsOf url: URL, maximumPixels: Int = 64_000_000) throws {
        try self.init(decoding: imageData(contentsOf: url), named: url.path, maximumPixels: maximumPixels)
    }

    /// A part of the image. Both ranges must be non-empty and inside it.
    package func cropped(x: Range<Int>, y: Range<Int>) -> RGBImage {
        if x.count == width {
            return RGBImage(
                width: width, height: y.count,
                pixels: Array(pixels[y.lowerBound * width * 3..<y.upperBound * width * 3]))
        }
        let rows = y.flatMap { row in
            pixels[(row * width + x.lowerBound) * 3..<(row * width + x.upperBound) * 3]
        }
        return RGBImage(width: x.count, height: y.count, pixels: rows)
    }

    /// A JPEG with halved chroma resolution, as is usual. `quality` is 1...100.
    /// - Throws: `ImageError` for an image of more than 65,500 pixels a side.
    package func jpegData(quality: Int = 90) throws -> Data {
        precondition((1...100).contains(quality), "JPEG quality is 1...100, not \(quality)")
        return try encoded(as: "JPEG") {
            ci_encode_jpeg($0, Int32(width), Int32(height), Int32(quality), $1, $2, $3, $4)
        }
    }

    /// An 8-bit RGB PNG.
    package func pngData() throws -> Data {
        try encoded(as: "PNG") { ci_encode_png($0, Int32(width), Int32(height), $1, $2, $3, $4) }
    }

    private typealias Encoder = (
        UnsafePointer<UInt8>, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>,
        UnsafeMutablePointer<CChar>, Int
    ) -> ci_status

    private func encoded(as format: String, _ encode: Encoder) throws -> Data {
        precondition(
            pixels.count == width * height * 3,
            "\(width)x\(height) needs \(width * height * 3) values, not \(pixels.count)")
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        defer { ci_free_bytes(bytes) }
        let (status, message) = withMessage { encode(pixels, &bytes, &count, $0, $1) }
        guard status == .ok, let bytes else {
            let why = message.isEmpty ? "not enough memory" : message
            throw ImageError(name: "\(width)x\(height) image", reason: .unwritable(format, why))
        }
        return Data(bytes: bytes, count: count)
    }
}
