import Foundation
import Jersey

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

    /// Draws a line. One thinner than a pixel is fainter instead.
    mutating func line(
        from: SIMD2<Double>, to: SIMD2<Double>, width thickness: Double, _ colour: SIMD4<Float>,
        opacity: Float
    ) {
        let half = max(thickness, 1) / 2
        let strength = opacity * Float(min(thickness, 1))
        let (low, high) = (pointwiseMin(from, to) - half - 1, pointwiseMax(from, to) + half + 1)
        let limit = SIMD2(Double(width - 1), Double(height - 1))
        guard low.x <= limit.x, low.y <= limit.y, high.x >= 0, high.y >= 0 else { return }
        let way = to - from
        let square = max((way * way).sum(), 1e-9)
        for y in Int(max(low.y, 0))...Int(min(high.y, limit.y)) {
            for x in Int(max(low.x, 0))...Int(min(high.x, limit.x)) {
                let place = SIMD2(Double(x) + 0.5, Double(y) + 0.5) - from
                let share = min(max((place * way).sum() / square, 0), 1)
                let cover = min(max(half + 0.5 - (place - way * share).length, 0), 1)
                guard cover > 0 else { continue }
                let pixel = pixels[y * width + x]
                pixels[y * width + x] = pixel + (colour - pixel) * (strength * Float(cover))
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
