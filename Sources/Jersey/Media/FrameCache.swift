import Foundation
import Synchronization

/// Decoded frames kept in memory, up to a number of bytes. What is in stays in: every frame is read once an epoch, so that throwing
/// out the oldest would throw out what is needed next.
package final class FrameCache: Sendable {
    private struct State {
        /// Bytes of pixels held.
        var size = 0
        var images: [String: RGBImage] = [:]
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Bytes of pixels held.
    package var byteCount: Int { state.withLock { $0.size } }

    /// The frame at `path`, decoded if need be.
    ///
    /// - Throws: `ImageError`, which is not remembered.
    package func image(at path: String) throws -> RGBImage {
        if let known = state.withLock({ $0.images[path] }) { return known }
        let image = try RGBImage(contentsOf: URL(fileURLWithPath: path))
        state.withLock { state in
            if state.images[path] == nil, state.size + image.pixels.count <= limit {
                state.images[path] = image
                state.size += image.pixels.count
            }
        }
        return image
    }
}
