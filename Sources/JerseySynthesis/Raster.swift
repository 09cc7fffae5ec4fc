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
        /// Sine and cosine of the camera's rotation about its axis, counter-clockwise in the picture.
        var rollSine = 0.0
        var rollCosine = 1.0

        /// Picture coordinates in metres (y up), and depth, larger towards the camera.
        func seen(_ point: SIMD3<Float>) -> SIMD3<Float> {
            let (s, c) = (Float(sine), Float(cosine))
            let (x, y) = (point.x, point.y * c - point.z * s)
            let (rs, rc) = (Float(rollSine), Float(rollCosine))
            return SIMD3(x * rc - y * rs, x * rs + y * rc, point.z * c + point.y * s)
        }
    }

    struct Light {
        /// Unit vector from a surface to the light.
        var way: SIMD3<Float>
        /// Share of ambient light.
        var ambient: Float
        /// Unevenness of skin and cloth, from 0 to 1.
        var grain: Float = 0
    }

    let width, height: Int
    /// Red, green and blue, from 0 to 255.
    var colours: [SIMD4<Float>]
    private var depths: [Float]
    /// How much of the foremost surface is the number: 0 to 1 on the back, 0 to -1 on the chest.
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

    /// Without a background.
    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        colours = .init(repeating: .zero, count: width * height)
        depths = .init(repeating: -.infinity, count: width * height)
        number = .init(repeating: 0, count: width * height)
        bodies = .init(repeating: 0, count: width * height)
    }

    /// Makes the background uneven: grass, dirt and people are.
    ///
    /// - Parameters:
    ///   - strength: relative to the brightness.
    ///   - scale: pixels per unit of the noise, across and down.
    mutating func roughen(strength: Float, scale: SIMD2<Float>, offset: SIMD2<Float>) {
        let noise = Noise.shared
        for y in 0..<height {
            let v = Float(y) / scale.y + offset.y
            for x in 0..<width {
                colours[y * width + x] *= 1 + strength * noise.nearest(Float(x) / scale.x + offset.x, v)
            }
        }
    }

    /// Draws a body with its shirt. Only the first body's number counts.
    ///
    /// - Parameter grain: where the pattern of its skin and cloth starts.
    mutating func draw(
        _ tubes: [Tube], _ shirt: ShirtTexture, body: UInt8, grain: SIMD2<Float> = .zero, in view: View,
        _ light: Light
    ) {
        // A half-way vector for shine: the camera looks along z, tilted.
        let middle = light.way + SIMD3<Float>(0, Float(view.sine), Float(view.cosine))
        let half = middle / max((middle * middle).sum().squareRoot(), 1e-6)
        var paint = Paint(
            body: body, grain: light.grain, offset: grain, scale: 160 / Float(view.density))
        for tube in tubes {
            paint.counts = body == 1 && !tube.isPatch
            let columns = tube.columns
            let corners = tube.vertices.map { vertex in
                let seen = view.seen(vertex.place)
                let lit = max(0, (vertex.normal * light.way).sum())
                // Surfaces at a glancing angle, and those turned to the ground, receive less
                // skylight.
                let facing = view.seen(vertex.normal).z
                let sky =
                    light.grain > 0
                    ? 0.62 + 0.3 * max(0, facing) + 0.2 * vertex.normal.y : 0.7 + 0.35 * max(0, facing)
                var shine: Float = 0
                if tube.isShirt && shirt.gloss > 0 {
                    let mirrored = max(0, (vertex.normal * half).sum())
                    let square = mirrored * mirrored
                    let fourth = square * square
                    shine = shirt.gloss * 150 * fourth * fourth * fourth
                }
                return Corner(
                    x: (seen.x - Float(view.left)) * Float(view.density),
                    y: (Float(view.top) - seen.y) * Float(view.density),
                    depth: seen.z, shade: light.ambient * sky + (1 - light.ambient) * 1.35 * lit,
                    shine: shine, colour: vertex.colour, texture: vertex.texture)
            }
            for row in 0..<tube.rows - 1 {
                for column in 0..<columns - 1 {
                    let index = row * columns + column
                    let (a, b) = (corners[index], corners[index + 1])
                    let (c, d) = (corners[index + columns], corners[index + columns + 1])
                    fill(a, b, c, tube.isShirt ? shirt : nil, paint)
                    fill(b, d, c, tube.isShirt ? shirt : nil, paint)
                }
            }
        }
    }

    /// What the triangles of a body share.
    private struct Paint {
        var body: UInt8
        /// Whether what is painted may be the player's number.
        var counts = false
        var grain: Float
        var offset: SIMD2<Float>
        /// Units of noise per pixel.
        var scale: Float
    }

    /// A net of square meshes before everything. Lengths are in metres.
    struct Net: Sendable {
        var spacing, width: Double
        var colour: SIMD3<Float>
        var opacity: Float
    }

    mutating func cover(with net: Net, in view: View) {
        func isThread(_ pixel: Int, _ start: Double) -> Bool {
            let place = (Double(pixel) / view.density + start) / net.spacing
            return (place - place.rounded(.down)) * net.spacing < max(net.width, 0.5 / view.density)
        }
        let threads = (0..<width).map { isThread($0, view.left) }
        for y in 0..<height {
            let isAcross = isThread(y, -view.top)
            for x in 0..<width where isAcross || threads[x] {
                let pixel = colours[y * width + x]
                colours[y * width + x] = pixel + (SIMD4(net.colour, 0) - pixel) * net.opacity
            }
        }
    }

    private struct Corner {
        var x, y, depth, shade, shine: Float
        var colour: SIMD3<Float>
        var texture: SIMD2<Float>
    }

    private mutating func fill(_ a: Corner, _ b: Corner, _ c: Corner, _ shirt: ShirtTexture?, _ paint: Paint)
    {
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
                bodies[pixel] = paint.body
                var shade = a.shade * wa + b.shade * wb + c.shade * wc
                if paint.grain > 0 {
                    let place = SIMD2(px, py) * paint.scale + paint.offset
                    shade *= 1 + paint.grain * Noise.shared.nearest(place.x, place.y)
                }
                if let shirt {
                    let place = a.texture * wa + b.texture * wb + c.texture * wc
                    let texel = shirt.colour(at: place)
                    colours[pixel] = texel * shade + (a.shine * wa + b.shine * wb + c.shine * wc)
                    let isBack = 0.25...0.75 ~= place.x
                    number[pixel] = paint.counts ? (isBack ? texel.w : -texel.w) : 0
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
