import Jersey
import Torch

/// A heat map over its frame: warmer places cover more of the frame.
package struct HeatOverlay {
    package let frame: RGBImage
    package let map: HeatMap
    /// The preprocessor that fitted the frame into the network's input, which the map covers.
    package let input: FramePreprocessor

    package init(_ frame: RGBImage, _ map: HeatMap, input: FramePreprocessor) {
        self.frame = frame
        self.map = map
        self.input = input
    }

    /// Matplotlib's inferno at nine even steps. Its lightness grows evenly, so it works for
    /// colour-blind readers and in greyscale.
    private static let inferno: [(red: Double, green: Double, blue: Double)] = [
        (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85), (227, 89, 51), (249, 140, 10),
        (249, 201, 50),
        (252, 255, 164),
    ]

    /// - Parameter side: length of the longer side, in pixels.
    package func image(side: Int = 224) -> RGBImage {
        let scale = Double(side) / Double(max(frame.width, frame.height))
        func scaled(_ length: Int) -> Int { max(1, Int(clamping: (Double(length) * scale).rounded())) }
        let (width, height) = (scaled(frame.width), scaled(frame.height))
        var picture = frame.resized(width: width, height: height)
        guard let warmth = warmth(width: width, height: height) else { return picture }
        for (place, value) in warmth.enumerated() {
            let colour = Self.colour(of: value)
            let share = 0.75 * value
            for (channel, level) in [colour.red, colour.green, colour.blue].enumerated() {
                let index = place * 3 + channel
                picture.pixels[index] = UInt8(
                    clamping: (Double(picture.pixels[index]) * (1 - share) + level * share).rounded())
            }
        }
        return picture
    }

    /// - Parameter value: 0...1.
    private static func colour(of value: Double) -> (red: Double, green: Double, blue: Double) {
        let step = value * Double(inferno.count - 1)
        let index = min(Int(clamping: step), inferno.count - 2)
        let (low, high, share) = (inferno[index], inferno[index + 1], step - Double(index))
        func mixed(_ a: Double, _ b: Double) -> Double { a + (b - a) * share }
        return (mixed(low.red, high.red), mixed(low.green, high.green), mixed(low.blue, high.blue))
    }

    /// The part of the map that covers the frame, resized bilinearly to (height, width); nil if
    /// fitting leaves nothing of the frame.
    private func warmth(width: Int, height: Int) -> [Double]? {
        guard let fitted = input.fit(width: frame.width, height: frame.height) else { return nil }
        let margins = input.margins(width: fitted.width, height: fitted.height)
        let rows = Self.taps(height, over: (margins.top, fitted.height), of: input.height, from: map.height)
        let columns = Self.taps(width, over: (margins.left, fitted.width), of: input.width, from: map.width)
        let values = Tensor(map.values, shape: [map.height, map.width])
        let warmth = rows.matmul(values).matmul(columns.permuted(1, 0))
        // Rounding may exceed the range slightly.
        return warmth.array(of: Double.self).map { min(max($0, 0), 1) }
    }

    /// (count, size): weights for interpolating `count` even positions, over a part of an axis of
    /// `length` pixels, from `size` values along it.
    private static func taps(
        _ count: Int, over part: (start: Int, length: Int), of length: Int, from size: Int
    ) -> Tensor {
        var weights = [Float](repeating: 0, count: count * size)
        for index in 0..<count {
            let pixel = Double(part.start) + (Double(index) + 0.5) * Double(part.length) / Double(count)
            let place = min(max(pixel * Double(size) / Double(length) - 0.5, 0), Double(size - 1))
            let low = min(Int(clamping: place), max(size - 2, 0))
            weights[index * size + low] += Float(1 - (place - Double(low)))
            if low + 1 < size { weights[index * size + low + 1] += Float(place - Double(low)) }
        }
        return Tensor(weights, shape: [count, size])
    }
}
