extension RGBImage {
    /// The image at another size: bilinear, antialiased when it shrinks. The bytes are the same as
    /// Pillow's.
    ///
    /// libtorch's resize rounds its weights more coarsely, so some of its values differ by one
    /// level.
    package func resized(width: Int, height: Int) -> RGBImage {
        precondition(width > 0 && height > 0, "an image is at least 1x1, not \(width)x\(height)")
        var image = self
        if width != image.width {
            let taps = ResizeTaps(from: image.width, to: width)
            let pixels = image.pixels.withUnsafeBufferPointer { source in
                [UInt8](unsafeUninitializedCapacity: width * image.height * 3) { target, count in
                    for row in 0..<image.height {
                        taps.alongRow(
                            source.baseAddress! + row * image.width * 3, target.baseAddress! + row * width * 3
                        )
                    }
                    count = width * image.height * 3
                }
            }
            image = RGBImage(width: width, height: image.height, pixels: pixels)
        }
        if height != image.height {
            let taps = ResizeTaps(from: image.height, to: height)
            let pixels = image.pixels.withUnsafeBufferPointer { source in
                [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
                    taps.alongColumns(source.baseAddress!, target.baseAddress!, rowLength: width * 3)
                    count = width * height * 3
                }
            }
            image = RGBImage(width: width, height: height, pixels: pixels)
        }
        return image
    }
}

/// The source pixels of each target pixel along one axis, and their weights with 22 fractional
/// bits.
private struct ResizeTaps {
    private static let bits = 22
    private let starts: [Int]
    private let counts: [Int]
    /// `stride` weights for each target pixel.
    private let weights: [Int32]
    private let stride: Int

    /// Both are sides of existing images, so no value overflows an `Int`.
    init(from size: Int, to target: Int) {
        let scale = Double(size) / Double(target)
        let support = max(scale, 1)
        stride = Int(support.rounded(.up)) * 2 + 1
        var starts: [Int] = []
        var counts: [Int] = []
        var weights = [Int32](repeating: 0, count: target * stride)
        for index in 0..<target {
            let center = (Double(index) + 0.5) * scale
            let start = max(Int(center - support + 0.5), 0)
            let count = min(Int(center + support + 0.5), size) - start
            let shares = (0..<count).map {
                max(0, 1 - abs((Double($0 + start) - center + 0.5) * (1 / support)))
            }
            let total = shares.reduce(0, +)
            for (tap, share) in shares.enumerated() {
                weights[index * stride + tap] = Int32(share / total * Double(1 << Self.bits) + 0.5)
            }
            starts.append(start)
            counts.append(count)
        }
        self.starts = starts
        self.counts = counts
        self.weights = weights
    }

    private static func level(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(max(sum >> Int32(bits), 0), 255))
    }

    /// One row of pixels of three values.
    func alongRow(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>) {
        weights.withUnsafeBufferPointer { weights in
            for index in 0..<starts.count {
                var (red, green, blue): (Int32, Int32, Int32) = (1 << 21, 1 << 21, 1 << 21)
                var pixel = source + starts[index] * 3
                for tap in index * stride..<index * stride + counts[index] {
                    let weight = weights[tap]
                    red &+= weight &* Int32(pixel[0])
                    green &+= weight &* Int32(pixel[1])
                    blue &+= weight &* Int32(pixel[2])
                    pixel += 3
                }
                target[index * 3] = Self.level(red)
                target[index * 3 + 1] = Self.level(green)
                target[index * 3 + 2] = Self.level(blue)
            }
        }
    }

    /// All rows of `rowLength` values at once. The sums of a whole row are kept, so that the inner
    /// loop runs along memory.
    func alongColumns(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, rowLength: Int) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowLength) { sums in
            let sums = sums.baseAddress!
            for index in 0..<starts.count {
                sums.update(repeating: 1 << 21, count: rowLength)
                for tap in 0..<counts[index] {
                    let weight = weights[index * stride + tap]
                    let row = source + (starts[index] + tap) * rowLength
                    for place in 0..<rowLength { sums[place] &+= weight &* Int32(row[place]) }
                }
                let row = target + index * rowLength
                for place in 0..<rowLength { row[place] = Self.level(sums[place]) }
            }
        }
    }
}
