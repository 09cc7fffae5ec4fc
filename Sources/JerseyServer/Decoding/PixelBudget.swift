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
    /// The picture with at most that many pixels, of the same shape.
    func shrunk(to pixels: Int) -> RGBImage {
        guard width * height > pixels else { return self }
        let scale = (Double(pixels) / Double(width * height)).squareRoot()
        return resized(
            width: max(1, Int(Double(width) * scale)), height: max(1, Int(Double(height) * scale)))
    }
}
