import JerseyOutput

/// A drawing that is laid onto a surface.
struct Texture: Sendable {
    let width, height: Int
    /// Texels per metre.
    let density: Double
    private let texels: [SIMD4<UInt8>]

    /// - Parameters:
    ///   - size: of the surface, in metres.
    ///   - draw: in metres from the upper left corner.
    init(size: Canvas.Point, density: Double, _ draw: (Canvas) -> Void) {
        width = max(2, Int(size.x * density))
        height = max(2, Int(size.y * density))
        self.density = density
        let canvas = Canvas(width: width, height: height)
        canvas.scale([density, density])
        draw(canvas)
        let pixels = canvas.image.pixels
        texels = stride(from: 0, to: pixels.count, by: 3).map {
            SIMD4(pixels[$0], pixels[$0 + 1], pixels[$0 + 2], 0)
        }
    }

    /// Bilinear interpolation, in texels; the edges go on outside.
    func callAsFunction(_ x: Float, _ y: Float) -> SIMD4<Float> {
        let (x, y) = (
            min(max(x - 0.5, 0), Float(width) - 1.01), min(max(y - 0.5, 0), Float(height) - 1.01)
        )
        let (left, top) = (Int(x), Int(y))
        let (u, v) = (x - Float(left), y - Float(top))
        return texels.withUnsafeBufferPointer { texels in
            let row = top * width + left
            let upper = SIMD4<Float>(texels[row]) * (1 - u) + SIMD4<Float>(texels[row + 1]) * u
            let lower =
                SIMD4<Float>(texels[row + width]) * (1 - u) + SIMD4<Float>(texels[row + width + 1]) * u
            return upper * (1 - v) + lower * v
        }
    }

    /// The same, repeated without end.
    func repeated(_ x: Float, _ y: Float) -> SIMD4<Float> {
        let (columns, rows) = (x / Float(width), y / Float(height))
        return self(
            (columns - columns.rounded(.down)) * Float(width), (rows - rows.rounded(.down)) * Float(height))
    }
}
