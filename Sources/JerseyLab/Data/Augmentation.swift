import Foundation
import Jersey
import Torch

/// Random changes to a resized picture, in the study's order: brightness, contrast, saturation,
/// rotation, blur, noise. Two additions are not the study's: mirroring comes first, and motion blur
/// comes before noise.
///
/// Pictures are (1, 3, h, w) float32 tensors of whole levels 0...255. Like Pillow's, each operation
/// truncates to whole levels.
package struct Augmentation: Sendable {
    package let config: AugmentationConfig

    package init(_ config: AugmentationConfig) {
        self.config = config
    }

    /// One draw of all parameters.
    package struct Draw: Sendable, Equatable {
        package var brightness = 1.0
        package var contrast = 1.0
        package var saturation = 1.0
        /// Degrees counter-clockwise.
        package var angle = 0.0
        package var zoom = 1.0
        /// Shares of width and height.
        package var shift = (x: 0.0, y: 0.0)
        /// Tangent of the shear angle; positive moves the top to the right.
        package var shear = 0.0
        /// Factor of the width.
        package var stretch = 1.0
        /// Pixels; nil for none.
        package var blur: Double?
        /// Length of the motion in pixels and its direction in degrees counter-clockwise from the
        /// right; nil for none.
        package var motion: (length: Double, angle: Double)?
        /// Standard deviation on a 0...1 scale, and the seed; nil for none.
        package var noise: (deviation: Double, seed: UInt64)?
        /// Whether left and right are swapped.
        package var isMirrored = false

        package static func == (a: Draw, b: Draw) -> Bool {
            (a.brightness, a.contrast, a.saturation, a.angle, a.zoom) == (
                b.brightness, b.contrast, b.saturation, b.angle, b.zoom
            )
                && (a.shear, a.stretch) == (b.shear, b.stretch) && a.shift == b.shift && a.blur == b.blur
                && a.motion?.length == b.motion?.length && a.motion?.angle == b.motion?.angle
                && a.noise?.deviation == b.noise?.deviation
                && a.noise?.seed == b.noise?.seed && a.isMirrored == b.isMirrored
        }
    }

    /// Draws for a sequence of `count` frames.
    package func draws(_ count: Int, from random: inout RandomStream) -> [Draw] {
        let shared = config.perSequence ? draw(from: &random) : nil
        var draws = (0..<count).map { _ in shared ?? draw(from: &random) }
        // All frames of a sequence face one way. It is drawn last so that it does not change other
        // draws.
        let isMirrored = random.chance(config.flipProbability)
        for index in draws.indices { draws[index].isMirrored = isMirrored }
        return draws
    }

    /// Changes for a sequence of `count` frames, as `SequenceLoader` takes them.
    func changes(_ count: Int, from random: inout RandomStream) -> [(Tensor) -> Tensor] {
        draws(count, from: &random).map { draw in { Self.apply(draw, to: $0) } }
    }

    /// Draws everything for one frame except mirroring.
    func draw(from random: inout RandomStream) -> Draw {
        var draw = Draw()
        func factor(_ spread: Double) -> Double { random.uniform(1 - spread...1 + spread) }
        draw.brightness = factor(config.brightness)
        draw.contrast = factor(config.contrast)
        draw.saturation = factor(config.saturation)
        draw.angle = random.uniform(-config.rotation...config.rotation)
        draw.zoom = factor(config.zoom)
        draw.shift = (
            random.uniform(-config.shift...config.shift), random.uniform(-config.shift...config.shift)
        )
        // Every draw consumes the same amount of randomness, whatever its outcome.
        let (blurs, radius) = (random.chance(config.blurProbability), random.next())
        if blurs { draw.blur = config.blurRadii[Int(radius % UInt64(config.blurRadii.count))] }
        let (noises, deviation, seed) = (
            random.chance(config.noiseProbability), random.uniform(config.noise[0]...config.noise[1]),
            random.next()
        )
        if noises { draw.noise = (deviation, seed) }
        // Drawn only if enabled, so that runs from before these settings existed stay reproducible.
        if config.shear > 0 { draw.shear = tan(random.uniform(-config.shear...config.shear) * .pi / 180) }
        if config.stretch > 0 { draw.stretch = factor(config.stretch) }
        if config.motionBlurProbability > 0 {
            let (moves, length, angle) = (
                random.chance(config.motionBlurProbability),
                random.uniform(config.motionBlur[0]...config.motionBlur[1]),
                random.uniform(0...180)
            )
            if moves { draw.motion = (length, angle) }
        }
        return draw
    }

    /// - Parameter picture: (1, 3, h, w) uint8.
    /// - Returns: (1, 3, h, w) float32.
    package static func apply(_ draw: Draw, to picture: Tensor) -> Tensor {
        var picture = picture.to(dtype: .float32).contiguous()
        if draw.isMirrored { picture = mirrored(picture) }
        brighten(picture, draw.brightness)
        adjustContrast(picture, draw.contrast)
        saturate(picture, draw.saturation)
        picture = moved(
            picture, angle: draw.angle, zoom: draw.zoom, shift: draw.shift, shear: draw.shear,
            stretch: draw.stretch)
        if let radius = draw.blur { picture = blurred(picture, radius: radius) }
        if let motion = draw.motion { picture = moving(picture, length: motion.length, angle: motion.angle) }
        if let noise = draw.noise {
            addNoise(picture, Tensor.normal(picture.shape, deviation: noise.deviation, seed: noise.seed))
        }
        return picture
    }

    // MARK: Operations

    private static func truncate(_ picture: Tensor) {
        picture.clampInPlace(to: 0...255).floorInPlace()
    }

    static func brighten(_ picture: Tensor, _ factor: Double) {
        truncate(picture.multiplyInPlace(factor))
    }

    /// (19595 R + 38470 G + 7471 B + 32768) / 65536, rounded down; exact in float32.
    static func grey(_ picture: Tensor) -> Tensor {
        let weights = Tensor([19595, 38470, 7471] as [Float], shape: [1, 3, 1, 1])
        return (picture * weights).sum(over: 1, keep: true).addInPlace(32768).multiplyInPlace(1 / 65536)
            .floorInPlace()
    }

    static func adjustContrast(_ picture: Tensor, _ factor: Double) {
        let middle = (grey(picture).mean(over: 0, 1, 2, 3).item + 0.5).rounded(.down)
        // In this order float32 rounds as Pillow's blend does. The rounding decides which level
        // truncation yields.
        truncate(picture.addInPlace(-middle).multiplyInPlace(factor).addInPlace(middle))
    }

    static func saturate(_ picture: Tensor, _ factor: Double) {
        let grey = grey(picture)
        truncate(picture.addInPlace(grey, times: -1).multiplyInPlace(factor).addInPlace(grey))
    }

    static func mirrored(_ picture: Tensor) -> Tensor {
        picture.indexSelected(3, at: Tensor((0..<picture.shape[3]).reversed().map(Int64.init)))
    }

    /// Shears and stretches a picture, then rotates it about the centre, zooms and shifts it.
    /// Uncovered areas are black.
    static func moved(
        _ picture: Tensor, angle: Double, zoom: Double = 1, shift: (x: Double, y: Double) = (0, 0),
        shear: Double = 0,
        stretch: Double = 1
    ) -> Tensor {
        if angle == 0 && zoom == 1 && shift == (0, 0) && shear == 0 && stretch == 1 { return picture }
        let (height, width) = (Double(picture.shape[2]), Double(picture.shape[3]))
        let (c, s) = (cos(angle * .pi / 180) / zoom, sin(angle * .pi / 180) / zoom)
        var theta = [c, -s * height / width, -2 * shift.x, s * width / height, c, -2 * shift.y]
        if shear != 0 || stretch != 1 {
            // The map above, followed by the inverse of shear and stretch.
            for column in 0..<3 {
                theta[column] = (theta[column] + shear * height / width * theta[3 + column]) / stretch
            }
        }
        return picture.warped(by: theta).floorInPlace()
    }

    static func blurred(_ picture: Tensor, radius: Double) -> Tensor {
        let shape = picture.shape
        var levels = picture.array(of: UInt8.self)
        GaussianBlur(radius: radius).apply(
            to: &levels, planes: shape[0] * shape[1], height: shape[2], width: shape[3])
        return Tensor(levels, shape: shape).to(dtype: .float32)
    }

    /// Rounds as `blurred` does, because truncation would darken every blurred picture.
    static func moving(_ picture: Tensor, length: Double, angle: Double) -> Tensor {
        let blurred = MotionBlur(length: length, angle: angle)(picture).addInPlace(0.5)
        truncate(blurred)
        return blurred
    }

    /// - Parameter noise: has the picture's shape, on a 0...1 scale.
    static func addNoise(_ picture: Tensor, _ noise: Tensor) {
        truncate(picture.addInPlace(noise, times: 255))
    }
}
