import Jersey

/// A tile of smooth random values, for cloth, skin, grass and folds. It repeats without seams.
struct Noise: Sendable {
    private static let side = 256
    private let values: [Float]

    /// Coarse and fine detail together: the largest spots are 64 units wide.
    static let shared = Noise()

    private init() {
        var random = RandomStream(0x6E01)
        var sum = [Float](repeating: 0, count: Self.side * Self.side)
        var strength: Float = 0.5
        for cells in [4, 8, 16, 32, 64, 128] {
            let corners = (0..<cells * cells).map { _ in Float(random.uniform(-1...1)) }
            for y in 0..<Self.side {
                for x in 0..<Self.side {
                    let (u, v) = (Float(x * cells) / Float(Self.side), Float(y * cells) / Float(Self.side))
                    let (left, top) = (Int(u), Int(v))
                    let (right, bottom) = ((left + 1) % cells, (top + 1) % cells)
                    let (s, t) = (Self.eased(u - Float(left)), Self.eased(v - Float(top)))
                    let upper = corners[top * cells + left] * (1 - s) + corners[top * cells + right] * s
                    let lower =
                        corners[bottom * cells + left] * (1 - s) + corners[bottom * cells + right] * s
                    sum[y * Self.side + x] += strength * (upper * (1 - t) + lower * t)
                }
            }
            strength *= 0.62
        }
        values = sum
    }

    private static func eased(_ share: Float) -> Float { share * share * (3 - 2 * share) }

    /// About -1 to 1, at any place, by bilinear interpolation.
    func callAsFunction(_ x: Float, _ y: Float) -> Float {
        let (floorX, floorY) = (x.rounded(.down), y.rounded(.down))
        let (s, t) = (x - floorX, y - floorY)
        let (left, top) = (Int(floorX) & 255, Int(floorY) & 255)
        let (right, bottom) = ((left + 1) & 255, (top + 1) & 255)
        return values.withUnsafeBufferPointer { values in
            let upper = values[top << 8 | left] * (1 - s) + values[top << 8 | right] * s
            let lower = values[bottom << 8 | left] * (1 - s) + values[bottom << 8 | right] * s
            return upper * (1 - t) + lower * t
        }
    }

    /// The value at the nearest place, which is faster.
    func nearest(_ x: Float, _ y: Float) -> Float {
        values.withUnsafeBufferPointer { $0[(Int(y) & 255) << 8 | (Int(x) & 255)] }
    }
}
