import Jersey

/// Draws players in shirts with numbers: pictures without any licence, to try things out with.
///
/// A sequence depends on the seed and its indices only, so any of them can be drawn on any thread in any order.
public struct SampleRenderer: Sendable {
    public let seed: UInt64

    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Sequences of one `track` share the player, the kit and the style of the number; `sequence` tells their motions apart.
    ///
    /// - Parameters:
    ///   - number: "0"..."9" or "00"..."99".
    ///   - frames: how many, from 1.
    public func sequence(number: String, track: Int, sequence: Int, frames: Int) -> SampleSequence {
        let track = UInt64(track)
        let sequence = UInt64(sequence)
        var random = RandomStream(seed, track)
        let look = SampleTrack(number: number, using: &random)
        random = RandomStream(seed, track, sequence)
        let motion = SampleMotion(frames: frames, using: &random)
        let scenery = random
        var drawn: [(image: RGBImage, legibility: Double)] = []
        for frame in 0..<frames {
            var random = RandomStream(seed, track, sequence, UInt64(frame))
            let pose = motion.pose(frame: frame, using: &random)
            drawn.append((image(of: look, pose: pose, scenery: scenery, using: &random), pose.legibility))
        }
        let anchor = drawn.indices.max { drawn[$0].legibility < drawn[$1].legibility }
        return SampleSequence(frames: drawn.map(\.image), anchor: anchor ?? 0)
    }

    private func image(of track: SampleTrack, pose: SamplePose, scenery: RandomStream, using random: inout RandomStream)
        -> RGBImage
    {
        let height = track.height * pose.zoom
        let size = SIMD2(height * track.aspect, height).rounded(.up)
        // A camera that resolves less than the crop has pixels: draw small, then enlarge.
        let detail = (size * pose.sharpness).rounded(.up)
        let scene = Canvas(width: Int(detail.x), height: Int(detail.y))
        SamplePainter(canvas: scene, track: track, pose: pose).paint(scenery: scenery)
        let crop = Canvas(width: Int(size.x), height: Int(size.y))
        crop.draw(scene, at: .zero, size: size)
        return exposed(crop.image, track: track, light: pose.light, using: &random)
    }

    /// Contrast, brightness and the noise of the sensor.
    private func exposed(_ image: RGBImage, track: SampleTrack, light: Double, using random: inout RandomStream) -> RGBImage {
        var pixels = image.pixels
        for pixel in stride(from: 0, to: pixels.count, by: 3) {
            let offset = 128 + track.brightness + light + track.noise * random.normal()
            for channel in pixel..<pixel + 3 {
                let value = (Double(pixels[channel]) - 128) * track.contrast + offset
                pixels[channel] = UInt8(max(0, min(255, value)))
            }
        }
        return RGBImage(width: image.width, height: image.height, pixels: pixels)
    }
}

/// One drawn player over a few frames, in temporal order.
public struct SampleSequence: Sendable {
    public let frames: [RGBImage]
    /// Index of the frame that shows the number best.
    public let anchor: Int
}
