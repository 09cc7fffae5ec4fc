import Foundation
import Jersey

/// Turns a painted scene into a frame, with the effects of lens, sensor, transmission and storage.
/// A sequence has one camera.
struct Camera: Sendable {
    /// Downward tilt, and rotation about the axis, in radians.
    let pitch, roll: Double
    let light: Raster.Light
    /// Seconds between frames.
    let interval: Double
    /// Sensor pixels per frame pixel, up to 1.
    let resolution: Double

    private let defocus, smear, smearAngle, noise, chroma, sharpening: Double
    private let exposure, gamma, contrast, saturation: Double
    private let cast: SIMD3<Double>
    private let shade: Shade?
    private let interlacing: Interlacing?
    private let qualities: [Int]

    private enum Interlacing {
        case combed(Double)
        case halved
    }

    /// Less light on one side of the picture: the shadow of a roof, or the edge of a spotlight.
    private struct Shade {
        /// Unit vector into the dark, the border's distance from the middle, and its softness, all
        /// relative to the picture's size.
        let way: SIMD2<Float>
        let start, softness: Float
        /// Share of the light that is missing.
        let strength: Float

        init(using random: inout RandomStream) {
            let angle = random.uniform(0...(2 * .pi))
            way = SIMD2(Float(cos(angle)), Float(sin(angle)))
            start = Float(random.uniform(-0.5...0.4))
            let isHard = random.chance(0.25)
            softness = Float(isHard ? random.uniform(0.02...0.1) : random.uniform(0.3...1))
            strength = Float(random.uniform(0.1...0.5))
        }
    }

    /// What varies from frame to frame.
    struct Moment: Sendable {
        /// Standard deviation of the defocus blur, and the motion while the shutter is open, in
        /// frame pixels.
        var defocus: Double
        var smear: SIMD2<Double>
        /// How much detail is left, from 0 to 1.
        var sharpness: Double { 1 / (1 + defocus * defocus + smear.length * smear.length / 4) }
    }

    /// - Parameter numberHeight: of the number, in frame pixels; blur grows with it, so that small
    ///   numbers remain readable.
    init(_ difficulty: Difficulty, numberHeight: Double = 15, using random: inout RandomStream) {
        let isPlain = difficulty.clutter == 0
        pitch = random.uniform(0.05...0.5)
        roll = isPlain ? 0 : random.normal() * (random.chance(0.15) ? 0.14 : 0.025)
        let way = SIMD3(random.uniform(-0.8...0.8), random.uniform(0.4...1), random.uniform(0.1...0.9))
        light = Raster.Light(
            way: SIMD3<Float>(way / (way * way).sum().squareRoot()),
            ambient: Float(random.uniform(0.45...0.8)),
            grain: isPlain ? 0 : Float(random.uniform(0.03...0.14)))
        interval = 1 / random.uniform(5...25)
        let size = numberHeight / 15
        let finest = (7 / numberHeight).clamped(to: 0.45...0.9)
        resolution = random.chance(difficulty.enlarged) ? random.uniform(finest...0.95) : 1
        // Less than in proportion on small numbers, of which little blur leaves nothing.
        let blur = size < 1 ? pow(size, 1.6) : size
        defocus = random.uniform(difficulty.defocus) * blur.clamped(to: 0.15...2.2)
        smear = random.uniform(difficulty.smear) * random.uniform() * blur.clamped(to: 0.15...3)
        smearAngle = random.normal() * 0.5
        let isGloomy = random.chance(difficulty.gloom)
        noise =
            random.uniform(difficulty.noise) * (isGloomy ? 1.6 : random.uniform(0.2...1))
            * size.clamped(to: 0.4...1.2)
        chroma = random.uniform(0.2...0.8)
        sharpening =
            random.chance(0.7)
            ? random.uniform(0.2...(random.chance(difficulty.clutter * 0.25) ? 3.5 : 1.5)) : 0
        exposure = isGloomy ? random.uniform(0.5...0.85) : random.uniform(0.98...1.35)
        gamma = random.uniform(0.75...1.1)
        contrast = isGloomy ? random.uniform(0.8...1.15) : random.uniform(0.9...1.3)
        saturation = random.chance(0.02 * difficulty.clutter) ? 0 : random.uniform(0.75...1.55)
        let strength = random.chance(difficulty.cast) ? 0.1 : 0.02
        var cast = SIMD3(
            1 + strength * random.normal(), 1 + 0.5 * strength * random.normal(),
            1 + strength * random.normal())
        if random.chance(difficulty.cast * 0.25) {
            // Stage light: pink, purple or blue.
            cast *= SIMD3(
                random.uniform(0.85...1.3), random.uniform(0.6...0.85), random.uniform(0.95...1.35))
        }
        self.cast = cast
        shade = random.chance(0.3 * difficulty.clutter) ? Shade(using: &random) : nil
        if random.chance(difficulty.interlaced) {
            interlacing = random.chance(0.5) ? .halved : .combed(random.uniform(0.5...1.4))
        } else {
            interlacing = nil
        }
        let generations = Int.random(in: difficulty.generations, using: &random)
        // Compression blocks have a fixed size, so they cover much of a small number.
        let kept = (14 - numberHeight).clamped(to: 0...8) * 4
        qualities = (0..<generations + 1).map { _ in
            Int(min(92, random.uniform(difficulty.quality) + kept))
        }
    }

    /// The picture's coordinates, from its left and top edges in metres and pixels per metre.
    func view(left: Double = 0, top: Double = 0, density: Double = 1) -> Raster.View {
        Raster.View(
            left: left, top: top, density: density, sine: sin(pitch), cosine: cos(pitch),
            rollSine: sin(roll), rollCosine: cos(roll))
    }

    func moment(using random: inout RandomStream) -> Moment {
        let isShaken = random.chance(0.12)
        let angle = smearAngle + random.normal() * (isShaken ? 1 : 0.2)
        let length = smear * random.uniform(0.3...1) * (isShaken ? 1.8 : 1)
        return Moment(
            defocus: defocus * random.uniform(0.8...1.25), smear: SIMD2(cos(angle), sin(angle)) * length)
    }

    /// - Parameters:
    ///   - scene: rendered at `oversampling` times the sensor's size, per side.
    ///   - width: of the frame; so is `height`.
    /// - Returns: the frame as a JPEG.
    func frame(
        _ scene: Raster, oversampling: Int, width: Int, height: Int, moment: Moment,
        using random: inout RandomStream
    ) throws -> Data {
        var picture = Picture(width: scene.width, height: scene.height, pixels: scene.colours)
        // Large pictures are as good, and much faster, if blurred when they are reduced.
        let isLarge = oversampling <= 2
        if isLarge { picture = picture.reduced(by: oversampling) }
        let scale = isLarge ? resolution : Double(oversampling) * resolution
        picture.smear(by: moment.smear * scale)
        picture.blur(deviation: moment.defocus * scale)
        if !isLarge { picture = picture.reduced(by: oversampling) }
        if let shade { darken(&picture, shade) }
        expose(&picture)
        if sharpening > 0 { picture.sharpen(by: Float(sharpening)) }
        picture.addNoise(deviation: noise, chroma: chroma, using: &random)
        interlace(&picture)
        var image = picture.image
        for quality in qualities.dropLast() {
            image = try compressed(image, quality: quality, using: &random)
        }
        image = image.resized(width: width, height: height)
        return try image.jpegData(quality: max(75, qualities.last!))
    }

    private func darken(_ picture: inout Picture, _ shade: Shade) {
        for y in 0..<picture.height {
            let v = (Float(y) / Float(picture.height) - 0.5) * shade.way.y - shade.start
            for x in 0..<picture.width {
                let depth = (Float(x) / Float(picture.width) - 0.5) * shade.way.x + v
                let share = min(max(depth / shade.softness, 0), 1)
                picture.pixels[y * picture.width + x] *= 1 - shade.strength * share
            }
        }
    }

    private func expose(_ picture: inout Picture) {
        let curve = (0...1023).map { step in
            let level = pow(Double(step) / 1023, gamma)
            return Float(255 * ((level - 0.5) * contrast + 0.5))
        }
        let gains = SIMD4<Float>(SIMD3<Float>(cast * exposure), 0) * (1023 / 255)
        let saturation = Float(saturation)
        for index in picture.pixels.indices {
            var pixel = picture.pixels[index]
            let grey = pixel.x * 0.299 + pixel.y * 0.587 + pixel.z * 0.114
            pixel = (pixel - grey) * saturation + grey
            pixel = (pixel * gains).clamped(lowerBound: .zero, upperBound: .init(repeating: 1023))
            picture.pixels[index] = SIMD4(curve[Int(pixel.x)], curve[Int(pixel.y)], curve[Int(pixel.z)], 0)
        }
    }

    private func interlace(_ picture: inout Picture) {
        switch interlacing {
        case nil: break
        case .combed(let shift): picture.shiftOddRows(by: shift * resolution)
        case .halved: picture.halveRows()
        }
    }

    /// Offsets the compression blocks, because a crop may start anywhere in the larger picture.
    private func compressed(_ image: RGBImage, quality: Int, using random: inout RandomStream) throws
        -> RGBImage
    {
        let (left, top) = (Int.random(in: 0..<16, using: &random), Int.random(in: 0..<16, using: &random))
        let (width, height) = (image.width + left + 8, image.height + top + 8)
        var padded = [UInt8](repeating: 0, count: width * height * 3)
        for y in 0..<height {
            let row = min(max(y - top, 0), image.height - 1) * image.width
            for x in 0..<width {
                let source = (row + min(max(x - left, 0), image.width - 1)) * 3
                let target = (y * width + x) * 3
                for channel in 0..<3 { padded[target + channel] = image.pixels[source + channel] }
            }
        }
        let data = try RGBImage(width: width, height: height, pixels: padded).jpegData(quality: quality)
        let decoded = try RGBImage(decoding: data, named: "a frame")
        var pixels: [UInt8] = []
        pixels.reserveCapacity(image.pixels.count)
        for y in 0..<image.height {
            let start = ((y + top) * width + left) * 3
            pixels += decoded.pixels[start..<start + image.width * 3]
        }
        return RGBImage(width: image.width, height: image.height, pixels: pixels)
    }
}
