import Jersey

/// How far pictures are shrunk, and frames of a video passed over, so that all together fit into a
/// number of pixels. What is sent may be larger than what is needed: a number is read from some 48
/// pixels, and a phone sends twelve million.
struct PixelBudget {
    /// Pixels of all pictures that are kept.
    let total: Int

    /// The least that a picture is shrunk to. Below that, too many are too many.
    static let leastPicture = 256 * 256
    /// The least that a frame of a video is shrunk to. Below that, frames are passed over.
    static let leastFrame = 1280 * 720

    /// For each picture, the most pixels to keep.
    func kept(of sizes: [Int]) -> [Int] {
        let sum = sizes.reduce(0, +)
        guard sum > total else { return sizes }
        let share = Double(total) / Double(sum)
        return sizes.map { min($0, max(Int(Double($0) * share), Self.leastPicture)) }
    }

    /// For a video, the most pixels of a frame to keep, and that every `step`-th is kept.
    func kept(ofFrames count: Int, size: Int) -> (pixels: Int, step: Int) {
        let pixels = min(size, max(total / max(count, 1), Self.leastFrame))
        let most = max(total / pixels, 1)
        return (pixels, max(1, (count + most - 1) / most))
    }
}

extension RGBImage {
    /// The picture with at most that many pixels: each is the mean of a square of a whole number of
    /// pixels a side, which costs a fraction of what decoding does.
    func shrunk(to pixels: Int) -> RGBImage {
        guard width * height > pixels else { return self }
        var side = 2
        while max(1, width / side) * max(1, height / side) > max(1, pixels) { side += 1 }
        let (across, down) = (min(side, width), min(side, height))
        let (columns, rows) = (width / across, height / down)
        let stride = width * 3
        let area = UInt32(across * down)
        let means = [UInt8](unsafeUninitializedCapacity: columns * rows * 3) { means, count in
            self.pixels.withUnsafeBufferPointer { source in
                withUnsafeTemporaryAllocation(of: UInt32.self, capacity: columns * 3) { sums in
                    for row in 0..<rows {
                        sums.update(repeating: 0)
                        for line in row * down..<(row + 1) * down {
                            var place = line * stride
                            for column in 0..<columns {
                                for _ in 0..<across {
                                    sums[column * 3] &+= UInt32(source[place])
                                    sums[column * 3 + 1] &+= UInt32(source[place + 1])
                                    sums[column * 3 + 2] &+= UInt32(source[place + 2])
                                    place += 3
                                }
                            }
                        }
                        for index in 0..<columns * 3 {
                            means[row * columns * 3 + index] = UInt8(
                                truncatingIfNeeded: (sums[index] &+ area / 2) / area)
                        }
                    }
                }
            }
            count = columns * rows * 3
        }
        return RGBImage(width: columns, height: rows, pixels: means)
    }
}
