import Foundation
import Jersey

/// A picture whose pixels are unique to the seed.
package func picture(_ seed: Int = 1, width: Int = 6, height: Int = 10) -> RGBImage {
    let pixels = (0..<width * height * 3).map { index in
        UInt8(truncatingIfNeeded: index * 13 + seed * 31 + index / width * seed)
    }
    return RGBImage(width: width, height: height, pixels: pixels)
}

/// The same picture as a PNG file.
package func png(_ seed: Int = 1, width: Int = 6, height: Int = 10) throws -> Data {
    try picture(seed, width: width, height: height).pngData()
}

/// Writes a video of pictures of one size, at `rate` frames per second.
package func writeFilm(_ path: String, frames: Int, rate: Double, of picture: (Int) -> RGBImage) throws {
    let first = picture(0)
    let writer = try VideoWriter(path, width: first.width, height: first.height, rate: rate)
    for frame in 0..<frames { try writer.add(picture(frame), time: Double(frame) / rate) }
    try writer.finish()
}
