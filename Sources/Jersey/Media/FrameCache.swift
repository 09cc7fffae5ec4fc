import Foundation
import Synchronization

/// Keeps decoded frames in memory, up to a number of bytes. Frames are never evicted: each is read
/// once an epoch, so the oldest frame is the one needed next.
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

    /// The frame at `path`, decoded unless it is cached.
    ///
    /// - Throws: `ImageError`, which is not cached.
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
