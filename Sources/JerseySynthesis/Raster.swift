import Jersey
import JerseyOutput

/// A picture under construction: colours, depths, and where the number is.
struct Raster {
    /// Maps the world to the picture: left and top edges in metres, and pixels per metre.
    struct View {
        var left, top, density: Double
        /// Sine and cosine of the camera's downward tilt.
        var sine = 0.0
        var cosine = 1.0

        /// Picture coordinates in metres (y up), and depth, larger towards the camera.
        func seen(_ point: SIMD3<Float>) -> SIMD3<Float> {
            let (s, c) = (Float(sine), Float(cosine))
            return SIMD3(point.x, point.y * c - point.z * s, point.z * c + point.y * s)
        }
    }

    struct Light {
        /// Unit vector from a surface to the light.
        var way: SIMD3<Float>
        /// Share of ambient light.
        var ambient: Float
    }

    let width, height: Int
    /// Red, green and blue, from 0 to 255.
    var colours: [SIMD4<Float>]
    private var depths: [Float]
    /// How much of the foremost surface is the number, from 0 to 1.
    private(set) var number: [Float]
    /// Index of the foremost body; 0 for none.
    private(set) var bodies: [UInt8]

    init(_ background: Canvas) {
        width = background.width
        height = background.height
        let pixels = background.image.pixels
        colours = stride(from: 0, to: pixels.count, by: 3).map { pixel -> SIMD4<Float> in
            let (red, green, blue) = (
                Float(pixels[pixel]), Float(pixels[pixel + 1]), Float(pixels[pixel + 2])
            )
            return SIMD4(red, green, blue, 0)
        }
        depths = .init(repeating: -.infinity, count: width * height)
        number = .init(repeating: 0, count: width * height)
        bodies = .init(repeating: 0, count: width * height)
    }

    /// Draws a body with its shirt. Only the first body's number counts.
    mutating func draw(_ tubes: [Tube], _ shirt: ShirtTexture, body: UInt8, in view: View, _ light: Light) {
        for tube in tubes {
            let columns = tube.columns
            let corners = tube.vertices.map { vertex in
                let seen = view.seen(vertex.place)
                let lit = max(0, (vertex.normal * light.way).sum())
                // Surfaces at a glancing angle receive less skylight.
                let facing = view.seen(vertex.normal).z
                let shade = light.ambient * (0.7 + 0.35 * max(0, facing)) + (1 - light.ambient) * 1.35 * lit
                return Corner(
                    x: (seen.x - Float(view.left)) * Float(view.density),
                    y: (Float(view.top) - seen.y) * Float(view.density),
                    depth: seen.z, shade: shade, colour: vertex.colour, texture: vertex.texture)
            }
            for row in 0..<tube.rows - 1 {
                for column in 0..<columns - 1 {
                    let index = row * columns + column
                    let (a, b) = (corners[index], corners[index + 1])
                    let (c, d) = (corners[index + columns], corners[index + columns + 1])
                    fill(a, b, c, tube.isShirt ? shirt : nil, body)
                    fill(b, d, c, tube.isShirt ? shirt : nil, body)
                }
            }
        }
    }

    private struct Corner {
        var x, y, depth, shade: Float
        var colour: SIMD3<Float>
        var texture: SIMD2<Float>
    }

    private mutating func fill(_ a: Corner, _ b: Corner, _ c: Corner, _ shirt: ShirtTexture?, _ body: UInt8) {
        let area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y)
        guard abs(area) > 1e-6 else { return }
        // The inside of a shirt would show only past its edges.
        if shirt != nil && area < 0 { return }
        let first = (max(0, Int(min(a.x, b.x, c.x))), max(0, Int(min(a.y, b.y, c.y))))
        let last = (min(width - 1, Int(max(a.x, b.x, c.x))), min(height - 1, Int(max(a.y, b.y, c.y))))
        guard first.0 <= last.0, first.1 <= last.1 else { return }
        let scale = 1 / area
        for y in first.1...last.1 {
            let py = Float(y) + 0.5
            for x in first.0...last.0 {
                let px = Float(x) + 0.5
                let wb = ((px - a.x) * (c.y - a.y) - (c.x - a.x) * (py - a.y)) * scale
                let wc = ((b.x - a.x) * (py - a.y) - (px - a.x) * (b.y - a.y)) * scale
                let wa = 1 - wb - wc
                guard wa >= 0, wb >= 0, wc >= 0 else { continue }
                let depth = a.depth * wa + b.depth * wb + c.depth * wc
                let pixel = y * width + x
                guard depth > depths[pixel] else { continue }
                depths[pixel] = depth
                bodies[pixel] = body
                let shade = a.shade * wa + b.shade * wb + c.shade * wc
                if let shirt {
                    let place = a.texture * wa + b.texture * wb + c.texture * wc
                    let texel = shirt.colour(at: place)
                    colours[pixel] = texel * shade
                    number[pixel] = body == 1 ? texel.w : 0
                } else {
                    colours[pixel] = SIMD4((a.colour * wa + b.colour * wb + c.colour * wc) * shade, 0)
                    number[pixel] = 0
                }
            }
        }
    }
}

extension ShirtTexture {
    /// Bilinear interpolation.
    fileprivate func colour(at place: SIMD2<Float>) -> SIMD4<Float> {
        let x = min(max(place.x * Float(width) - 0.5, 0), Float(width - 1))
        let y = min(max(place.y * Float(height) - 0.5, 0), Float(height - 1))
        let (left, top) = (Int(x), Int(y))
        let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
        let (u, v) = (x - Float(left), y - Float(top))
        return texels.withUnsafeBufferPointer { texels in
            let upper = texels[top * width + left] * (1 - u) + texels[top * width + right] * u
            let lower = texels[bottom * width + left] * (1 - u) + texels[bottom * width + right] * u
            return upper * (1 - v) + lower * v
        }
    }
}
