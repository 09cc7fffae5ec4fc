import Foundation

/// Decoded frames kept in memory, up to a number of bytes. What is in stays in: every frame is read once an epoch, so that throwing
/// out the oldest would throw out what is needed next.
package final class FrameCache: @unchecked Sendable {
    // `@unchecked Sendable`: all state is touched under the lock only.
    private let lock = NSLock()
    private let limit: Int
    private var size = 0
    private var images: [String: RGBImage] = [:]

    /// - Parameter limit: bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Bytes of pixels held.
    package var byteCount: Int { lock.withLock { size } }

    /// The frame at `path`, decoded if need be.
    ///
    /// - Throws: `ImageError`, which is not remembered.
    package func image(at path: String) throws -> RGBImage {
        if let known = lock.withLock({ images[path] }) { return known }
        let image = try RGBImage(contentsOf: URL(fileURLWithPath: path))
        lock.withLock {
            if images[path] == nil, size + image.pixels.count <= limit {
                images[path] = image
                size += image.pixels.count
            }
        }
        return image
    }
}
