import Foundation
import Jersey

/// Turns a painted scene into a frame, with the effects of lens, sensor, transmission and storage.
/// A sequence has one camera.
struct Camera: Sendable {
    /// Downward tilt, in radians.
    let pitch: Double
    let light: Raster.Light
    /// Seconds between frames.
    let interval: Double
    /// Sensor pixels per frame pixel, up to 1.
    let resolution: Double

    private let defocus, smear, smearAngle, noise, chroma, sharpening: Double
    private let exposure, gamma, contrast, saturation: Double
    private let cast: SIMD3<Double>
    private let interlacing: Interlacing?
    private let qualities: [Int]

    private enum Interlacing {
        case combed(Double)
        case halved
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

    init(_ difficulty: Difficulty, using random: inout RandomStream) {
        pitch = random.uniform(0.05...0.5)
        let way = SIMD3(random.uniform(-0.7...0.7), random.uniform(0.5...1), random.uniform(0.1...0.9))
        light = Raster.Light(
            way: SIMD3<Float>(way / (way * way).sum().squareRoot()),
            ambient: Float(random.uniform(0.5...0.85)))
        interval = 1 / random.uniform(5...25)
        resolution = random.chance(difficulty.enlarged) ? random.uniform(0.5...0.95) : 1
        defocus = random.uniform(difficulty.defocus)
        smear = random.uniform(difficulty.smear) * random.uniform()
        smearAngle = random.normal() * 0.5
        let isGloomy = random.chance(difficulty.gloom)
        noise = random.uniform(difficulty.noise) * (isGloomy ? 1.6 : random.uniform(0.2...1))
        chroma = random.uniform(0.2...0.8)
        sharpening = random.chance(0.6) ? random.uniform(0.2...1.3) : 0
        exposure = isGloomy ? random.uniform(0.4...0.8) : random.uniform(0.95...1.35)
        gamma = random.uniform(0.65...1.05)
        contrast = isGloomy ? random.uniform(0.6...1) : random.uniform(0.8...1.15)
        saturation = random.chance(0.04) ? 0 : random.uniform(0.65...1.25)
        let strength = random.chance(difficulty.cast) ? 0.12 : 0.02
        cast = SIMD3(
            1 + strength * random.normal(), 1 + 0.5 * strength * random.normal(),
            1 + strength * random.normal())
        if random.chance(difficulty.interlaced) {
            interlacing = random.chance(0.5) ? .halved : .combed(random.uniform(0.5...1.4))
        } else {
            interlacing = nil
        }
        let generations = Int.random(in: difficulty.generations, using: &random)
        qualities = (0..<generations + 1).map { _ in Int(random.uniform(difficulty.quality)) }
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
        let scale = Double(oversampling) * resolution
        picture.smear(by: moment.smear * scale)
        picture.blur(deviation: moment.defocus * scale)
        picture = picture.reduced(by: oversampling)
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

/// An image in floating point: red, green and blue, from 0 to 255.
struct Picture {
    var width, height: Int
    var pixels: [SIMD4<Float>]

    /// Rounded to 8 bits.
    var image: RGBImage {
        var levels: [UInt8] = []
        levels.reserveCapacity(pixels.count * 3)
        for pixel in pixels {
            let level = (pixel + 0.5).clamped(lowerBound: .zero, upperBound: .init(repeating: 255))
            levels.append(UInt8(level.x))
            levels.append(UInt8(level.y))
            levels.append(UInt8(level.z))
        }
        return RGBImage(width: width, height: height, pixels: levels)
    }

    /// Averages squares of pixels.
    func reduced(by factor: Int) -> Picture {
        let (width, height) = (width / factor, height / factor)
        var reduced = [SIMD4<Float>](repeating: .zero, count: width * height)
        let share = 1 / Float(factor * factor)
        for y in 0..<height {
            for x in 0..<width {
                var sum = SIMD4<Float>.zero
                for row in y * factor..<(y + 1) * factor {
                    for column in x * factor..<(x + 1) * factor { sum += pixels[row * self.width + column] }
                }
                reduced[y * width + x] = sum * share
            }
        }
        return Picture(width: width, height: height, pixels: reduced)
    }

    mutating func blur(deviation: Double) {
        guard deviation > 0.2 else { return }
        let reach = Int((2.5 * deviation).rounded(.up))
        let weights = (-reach...reach).map { Float(exp(-Double($0 * $0) / (2 * deviation * deviation))) }
        let total = weights.reduce(0, +)
        filter(weights.map { $0 / total }, alongRows: true)
        filter(weights.map { $0 / total }, alongRows: false)
    }

    /// Repeats the edge pixels.
    private mutating func filter(_ weights: [Float], alongRows: Bool) {
        let reach = weights.count / 2
        let (length, lines) = alongRows ? (width, height) : (height, width)
        let (step, jump) = alongRows ? (1, width) : (width, 1)
        var line = [SIMD4<Float>](repeating: .zero, count: length + 2 * reach)
        pixels.withUnsafeMutableBufferPointer { pixels in
            line.withUnsafeMutableBufferPointer { line in
                for index in 0..<lines {
                    for place in 0..<line.count {
                        line[place] = pixels[index * jump + min(max(place - reach, 0), length - 1) * step]
                    }
                    for place in 0..<length {
                        var sum = SIMD4<Float>.zero
                        for (tap, weight) in weights.enumerated() { sum += line[place + tap] * weight }
                        pixels[index * jump + place * step] = sum
                    }
                }
            }
        }
    }

    /// Spreads each pixel evenly along a vector.
    mutating func smear(by way: SIMD2<Double>) {
        let steps = Int(way.length.rounded())
        guard steps >= 1 else { return }
        let source = pixels
        let offsets = (0...steps).map { step in
            let share = Double(step) / Double(steps) - 0.5
            return (Int((way.x * share).rounded()), Int((way.y * share).rounded()))
        }
        let share = 1 / Float(offsets.count)
        source.withUnsafeBufferPointer { source in
            for y in 0..<height {
                for x in 0..<width {
                    var sum = SIMD4<Float>.zero
                    for (dx, dy) in offsets {
                        sum +=
                            source[min(max(y + dy, 0), height - 1) * width + min(max(x + dx, 0), width - 1)]
                    }
                    pixels[y * width + x] = sum * share
                }
            }
        }
    }

    /// Unsharp masking, as cameras do, which leaves halos at edges.
    mutating func sharpen(by amount: Float) {
        var soft = self
        soft.filter([0.25, 0.5, 0.25], alongRows: true)
        soft.filter([0.25, 0.5, 0.25], alongRows: false)
        for index in pixels.indices { pixels[index] += (pixels[index] - soft.pixels[index]) * amount }
    }

    mutating func addNoise(deviation: Double, chroma: Double, using random: inout RandomStream) {
        guard deviation > 0 else { return }
        let grey = Float(deviation)
        let colour = Float(deviation * chroma)
        for index in pixels.indices {
            // The sum of four uniform values is close to normal, and one random number yields all
            // of them.
            let bits = random.next()
            let luma = Self.bell(bits)
            let (red, blue) = (Self.bell(bits >> 13), Self.bell(bits >> 29))
            pixels[index] += SIMD4(luma * grey + red * colour, luma * grey, luma * grey + blue * colour, 0)
        }
    }

    /// Close to normal with deviation 1, from the bits of a number.
    private static func bell(_ bits: UInt64) -> Float {
        let sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24 & 255)
        return (Float(sum) - 510) / 147.8
    }

    /// Simulates interlacing: every other row was captured later.
    mutating func shiftOddRows(by way: Double) {
        let shift = Int(way.rounded())
        guard shift != 0 else { return }
        for y in stride(from: 1, to: height, by: 2) {
            let row = Array(pixels[y * width..<(y + 1) * width])
            for x in 0..<width { pixels[y * width + x] = row[min(max(x + shift, 0), width - 1)] }
        }
    }

    /// Simulates a missing field: interpolates every other row from its neighbours.
    mutating func halveRows() {
        for y in stride(from: 1, to: height, by: 2) {
            let below = min(y + 1, height - 1)
            for x in 0..<width {
                pixels[y * width + x] = (pixels[(y - 1) * width + x] + pixels[below * width + x]) * 0.5
            }
        }
    }
}
