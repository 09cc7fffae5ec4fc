import Foundation
import Jersey
import JerseyOutput

/// The background of a match: the pitch, the boards around it, and the stands behind them.
struct Stadium: Sendable {
    /// A lamp or the sun: unit vector towards it, and the share of the light that its shadows lack.
    struct Lamp: Sendable {
        let way: SIMD3<Double>
        let strength: Double
    }

    /// Distances of the boards from the centre spot, in metres, beyond the goals, the far touchline,
    /// and the near one.
    static let (ends, far, near) = (57.0, 39.0, 46.0)
    static let boardHeight = 0.95

    let lamps: [Lamp]
    /// Softness of the shadows, in metres.
    let softness: Double
    let light: Raster.Light
    private let ground, boards, crowd: Texture
    /// Unevenness of the grass, in shares of its brightness.
    private let (blotches, grain): (Float, Float)
    /// The shadow of a roof: it falls on the pitch where z is less than this, in metres.
    private let roof: (edge: Double, slant: Double, light: Float)?
    private let wall: SIMD4<Float>
    private let sky: SIMD4<Float>
    private let slope: Float

    /// - Parameter density: texels per metre of the pitch.
    init(density: Double, using random: inout RandomStream) {
        let isNight = random.chance(0.35)
        let isSunny = !isNight && random.chance(0.55)
        func way(_ x: Double, _ y: Double, _ z: Double) -> SIMD3<Double> {
            let way = SIMD3(x, y, z)
            return way / way.length
        }
        let side = random.chance(0.5) ? 1.0 : -1
        if isSunny {
            lamps = [
                Lamp(
                    way: way(
                        side * random.uniform(0.3...1), random.uniform(0.5...1.1), random.uniform(-0.5...0.8)),
                    strength: random.uniform(0.4...0.62))
            ]
        } else if isNight {
            lamps = [-1, 1].map {
                Lamp(
                    way: way(
                        $0 * random.uniform(0.5...0.9), random.uniform(0.5...0.8), random.uniform(0.2...0.7)),
                    strength: random.uniform(0.16...0.3))
            }
        } else {
            lamps = [
                Lamp(
                    way: way(side * 0.1, 1, random.uniform(-0.1...0.2)), strength: random.uniform(0.35...0.5))
            ]
        }
        softness = isSunny ? 0.03 : isNight ? 0.06 : 0.09
        let main =
            isSunny ? lamps[0].way : way(side * random.uniform(0...0.4), 0.9, random.uniform(0.2...0.7))
        light = Raster.Light(
            way: SIMD3<Float>(main),
            ambient: Float(isSunny ? random.uniform(0.45...0.6) : random.uniform(0.6...0.8)),
            grain: Float(random.uniform(0.03...0.08)))
        roof =
            isSunny && random.chance(0.4)
            ? (random.uniform(-32...0), random.uniform(-0.15...0.15), Float(random.uniform(0.5...0.68))) : nil

        let turf = Turf(using: &random)
        ground = Texture(size: Pitch.size, density: density) { canvas in
            canvas.translate(Pitch.margin)
            Pitch.paint(turf, on: canvas)
        }
        blotches = Float(random.uniform(0.03...0.1))
        grain = Float(random.uniform(0.04...0.13))
        let dim = isNight || roof != nil ? random.uniform(0.3...0.6) : random.uniform(0.5...0.9)
        let signs = random
        boards = Texture(size: [72, Self.boardHeight], density: 36) { canvas in
            var random = signs
            Self.paintBoards(on: canvas, using: &random)
        }
        let people = RandomStream(random.next())
        let isFull = random.uniform(0.35...0.97)
        crowd = Texture(size: [36, 26], density: 16) { canvas in
            var random = people
            Self.paintCrowd(on: canvas, isFull: isFull, light: dim, using: &random)
        }
        let grey = Canvas.Colour(0x6A6C70).mixed(with: .black, random.uniform(0.1...0.7))
        wall = SIMD4(grey.levels, 0)
        sky = SIMD4(
            Canvas.Colour(isNight ? 0x0C0E14 : 0x8898A8).mixed(with: .black, random.uniform(0...0.5)).levels,
            0)
        slope = Float(random.uniform(0.45...0.65))
    }

    /// How much light reaches a place on the pitch, from 0 to 1.
    func brightness(_ x: Float, _ z: Float) -> Float {
        guard let roof else { return 1 }
        let depth = Float(roof.edge) + x * Float(roof.slant) - z
        return 1 - (1 - roof.light) * min(max(depth / 0.8 + 0.5, 0), 1)
    }

    /// What an empty stadium looks like.
    func picture(from camera: BroadcastCamera) -> Picture {
        var picture = Picture(width: camera.width, height: camera.height, pixels: [])
        picture.pixels.reserveCapacity(camera.width * camera.height)
        let place = SIMD3<Float>(camera.place)
        let (right, up) = (SIMD3<Float>(camera.right), SIMD3<Float>(camera.up))
        let forward = SIMD3<Float>(camera.ahead * camera.focal)
        let (middle, centre) = (Float(camera.width) / 2 - 0.5, Float(camera.height) / 2 - 0.5)
        for row in 0..<camera.height {
            let left = forward - up * (Float(row) - centre) - right * middle
            // All points of a row have the same height, so the ground in it is one line.
            let reach = left.y < -1e-3 ? -place.y / left.y : 0
            let next = -place.y / min(left.y - up.y, -1e-3)
            let depth = abs(reach - next) * Float(camera.focal)
            for column in 0..<camera.width {
                let ray = left + right * Float(column)
                let (x, z) = (place.x + ray.x * reach, place.z + ray.z * reach)
                let isInside =
                    reach > 0 && (ray.x < 0 ? x > -Float(Self.ends) : x < Float(Self.ends))
                    && (ray.z < 0 ? z > -Float(Self.far) : z < Float(Self.near))
                picture.pixels.append(
                    isInside ? grass(x, z, depth: depth, pixel: reach) : stand(from: place, ray))
            }
        }
        for end in [-1.0, 1] { drawGoal(end, on: &picture, from: camera) }
        return picture
    }

    private func drawGoal(_ end: Double, on picture: inout Picture, from camera: BroadcastCamera) {
        let middle = SIMD3(end * Pitch.half, 0, 0)
        guard ((middle - camera.place) * camera.ahead).sum() > 8 else { return }
        let light = brightness(Float(middle.x), 0)
        func bar(_ from: SIMD3<Double>, _ to: SIMD3<Double>, width: Double, _ opacity: Float) {
            let (one, other) = (camera.seen(middle + from), camera.seen(middle + to))
            picture.line(
                from: [one.x, one.y], to: [other.x, other.y], width: width * camera.focal / one.z,
                SIMD4(repeating: 235 * light), opacity: opacity)
        }
        let (side, height, depth) = (3.72, 2.5, end * 2.0)
        // The net: its back, its sides, and the roof.
        for mesh in stride(from: -1, through: 1, by: 0.05) {
            let across = mesh * side
            bar([depth, 0, across], [depth * 0.5, height, across], width: 0.012, 0.4)
            bar([depth * 0.5, height, across], [0, height, across], width: 0.012, 0.4)
        }
        for mesh in stride(from: 0, to: 1, by: 0.08) {
            let back = depth * (1 - 0.5 * mesh)
            bar([back, mesh * height, -side], [back, mesh * height, side], width: 0.012, 0.4)
            for post in [-side, side] {
                bar([back, mesh * height, post], [0, mesh * height, post], width: 0.012, 0.4)
            }
        }
        for post in [-side, side] { bar([0, 0, post], [0, height, post], width: 0.12, 1) }
        bar([0, height, -side], [0, height, side], width: 0.12, 1)
    }

    /// - Parameters:
    ///   - depth: metres that a pixel covers along the view.
    ///   - pixel: metres that a pixel covers across the view.
    private func grass(_ x: Float, _ z: Float, depth: Float, pixel: Float) -> SIMD4<Float> {
        let scale = Float(ground.density)
        let (u, v) = ((x + Float(Pitch.margin.x)) * scale, (z + Float(Pitch.margin.y)) * scale)
        let taps = min(12, max(1, Int(depth * scale * 0.6)))
        var sum = SIMD4<Float>.zero
        for tap in 0..<taps {
            let offset = (Float(tap) + 0.5) / Float(taps) - 0.5
            sum += ground(u, v + offset * depth * scale)
        }
        let fine = grain * min(1, 0.012 / pixel)
        let noise = Noise.shared
        let shade =
            1 + blotches * noise.nearest(x * 7 + 900, z * 7 + 900)
            + fine * noise.nearest(x * 60 + 9000, z * 35 + 9000)
        return sum * (shade * brightness(x, z) / Float(taps))
    }

    /// Boards, a wall behind, and rows of people that rise from it.
    private func stand(from place: SIMD3<Float>, _ ray: SIMD3<Float>) -> SIMD4<Float> {
        func distance(_ way: Float, _ start: Float, _ low: Double, _ high: Double) -> Float {
            abs(way) < 1e-6 ? .infinity : ((way > 0 ? Float(high) : -Float(low)) - start) / way
        }
        let (acrossEnd, acrossSide) = (
            distance(ray.x, place.x, Self.ends, Self.ends), distance(ray.z, place.z, Self.far, Self.near)
        )
        let isSide = acrossSide < acrossEnd
        let reach = min(acrossSide, acrossEnd)
        let height = place.y + ray.y * reach
        // Text is read from inside, wherever one looks.
        func along(_ reach: Float) -> Float {
            isSide
                ? (ray.z < 0 ? 500 : 700) + (place.x + ray.x * reach) * (ray.z < 0 ? 1 : -1)
                : (ray.x > 0 ? 531 : 731) + (place.z + ray.z * reach) * (ray.x > 0 ? 1 : -1)
        }
        if height < Float(Self.boardHeight) {
            return boards.repeated(
                along(reach) * Float(boards.density),
                min(Float(Self.boardHeight) - height, Float(Self.boardHeight) * 0.98) * Float(boards.density))
        }
        let foot: Float = 2.4
        guard height > foot else { return wall * (0.7 + 0.3 * height / foot) }
        // Outward from the wall, the stand rises at a steady slope.
        let outward = abs(isSide ? ray.z : ray.x)
        let steepness = ray.y - slope * outward
        let far = steepness < -1e-6 ? (foot - place.y - slope * reach * outward) / steepness : .infinity
        let back = (far - reach) * outward
        guard back < 34 else { return sky }
        // A way between two blocks of seats.
        if 15..<16.2 ~= back { return wall * 0.8 }
        let row = back * (1 + slope * slope).squareRoot()
        let shade = 1 - 0.3 * back / 34
        return crowd.repeated(along(far) * Float(crowd.density), -row * Float(crowd.density)) * shade
    }

    private static func paintBoards(on canvas: Canvas, using random: inout RandomStream) {
        var left = 0.0
        while left < 72 {
            let colour = Palette.colour(using: &random)
            let width = random.uniform(4...9)
            canvas.rectangle([left, 0], [width + 0.02, boardHeight], colour)
            let text = (0..<Int.random(in: 3...9, using: &random)).map { _ in
                "ABCDEFGHIKLMNOPRSTUVaeinorst".randomElement(using: &random) ?? "A"
            }
            let face = NumberFace.ordinary.randomElement(using: &random)
            let outline = face.map { Canvas.outline(of: String(text), $0) } ?? []
            let reach = outline.joined().reduce(0.1) { max($0, abs($1.x)) } * 2
            let stretch = min(0.75, width * 0.85 / reach)
            let ink = colour.luminance > 0.5 ? Palette.black : Palette.white
            let place = Canvas.Point(left + width / 2, boardHeight * 0.22)
            canvas.fill(outline.map { $0.map { $0 * [stretch, boardHeight * 0.56] + place } }, ink)
            left += width
        }
    }

    /// Rows from the top downwards, 0.85 m apart, with a seat every half metre.
    private static func paintCrowd(
        on canvas: Canvas, isFull: Double, light: Double, using random: inout RandomStream
    ) {
        let shade = Canvas.Colour(0x2A2B30)
        let seat = Palette.colour(using: &random).mixed(with: shade, 0.6)
        let fans = Palette.colour(using: &random)
        func lit(_ colour: Canvas.Colour) -> Canvas.Colour { .black.mixed(with: colour, light) }
        canvas.rectangle([0, 0], [36, 26], lit(shade))
        for row in stride(from: 0.4, to: 26, by: 0.85) {
            for column in stride(from: 0.25, to: 36, by: 0.5) {
                // Stairs.
                guard column.truncatingRemainder(dividingBy: 12) > 1 else {
                    canvas.rectangle(
                        [column - 0.25, row - 0.4], [0.5, 0.8], lit(shade.mixed(with: .white, 0.2)))
                    continue
                }
                let noise = Double(Noise.shared(Float(column) * 4, Float(row) * 4))
                guard random.chance((isFull + 0.5 * noise).clamped(to: 0...1)) else {
                    canvas.rectangle([column - 0.2, row - 0.2], [0.4, 0.45], lit(seat))
                    continue
                }
                let place = Canvas.Point(column + 0.05 * random.normal(), row + 0.05 * random.normal())
                let coat = (random.chance(0.3) ? fans : Palette.colour(using: &random))
                    .mixed(with: shade, random.uniform(0.2...0.75))
                canvas.ellipse(place + [0, 0.25], [0.22, 0.3], lit(coat))
                let skin = [0xD8A888, 0xC08A68, 0x7A5038].randomElement(using: &random) ?? 0xC08A68
                canvas.ellipse(place - [0, 0.12], [0.1, 0.13], lit(Canvas.Colour(UInt32(skin))))
                canvas.ellipse(place - [0, 0.19], [0.1, 0.08], lit(shade.mixed(with: .black, 0.4)))
            }
        }
    }
}
