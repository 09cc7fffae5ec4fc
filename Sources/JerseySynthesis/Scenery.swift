import Foundation
import Jersey
import JerseyOutput

/// The background: the ground, its lines, boards and the crowd. Lengths are in metres of the
/// picture, y down from the feet.
struct Scenery: Sendable {
    typealias Colour = Canvas.Colour
    typealias Point = Canvas.Point

    /// A piece of an advertising board, or a sign painted on the ground.
    private struct Board {
        let colour, ink: Colour
        let width: Double
        /// One unit high.
        let text: Canvas.Outline
    }

    let ground: Sport.Ground
    /// Unevenness of the ground: strength, and metres per unit of the noise, across and down.
    let roughness: (strength: Float, scale: SIMD2<Double>)
    /// A net between the camera and the players, or none.
    let net: Raster.Net?
    /// How much coarser than the players the background is drawn, as out of focus.
    let coarseness: Int
    /// Repeats the same drawing in every frame.
    private let stream: RandomStream
    /// The shadow under a player: its direction and length, and its darkness.
    private let shadow: (way: Point, strength: Double)
    private let boards: [Board]
    /// Letters on the ground, or none.
    private let sign: Board?
    /// Bottom of the stand; far above if only the ground is seen.
    private let horizon: Double

    init(_ sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
        ground = sport.grounds.randomElement(using: &random) ?? .grass
        shadow = ([random.uniform(-0.9...0.9), random.uniform(-0.15...0.3)], random.uniform(0...0.5))
        stream = RandomStream(random.next())
        // Most cameras look down, so the background is mostly ground.
        horizon = random.chance(0.45) ? -random.uniform(0.1...2.4) : -9
        let clutter = difficulty.clutter
        coarseness = clutter > 0 ? Int.random(in: 1...3, using: &random) : 1
        let strength = ground == .grass ? random.uniform(0.05...0.4) : random.uniform(0...0.1)
        roughness = (
            Float(strength * clutter),
            SIMD2(random.uniform(0.004...0.02), random.uniform(0.003...0.008))
        )
        net =
            random.chance(0.03 * clutter)
            ? Raster.Net(
                spacing: random.uniform(0.05...0.14), width: random.uniform(0.004...0.01),
                colour: (random.chance(0.7) ? Palette.white : Palette.black).levels,
                opacity: Float(random.uniform(0.3...0.9)))
            : nil
        func board(using random: inout RandomStream) -> Board {
            let colour = Palette.colour(using: &random)
            let isNumber = random.chance(0.15)
            let count = isNumber ? 1...3 : 2...8
            let text = (0..<Int.random(in: count, using: &random)).map { _ in
                (isNumber ? "0123456789" : "ABCDEFGHIJKLMNOPRSTUVWXYZaehonrst").randomElement(using: &random)
                    ?? "A"
            }
            let typeface = (NumberFace.ordinary + NumberFace.special).randomElement(using: &random)
            return Board(
                colour: colour,
                ink: random.chance(0.7)
                    ? (colour.luminance > 0.5 ? Palette.black : Palette.white)
                    : Palette.colour(using: &random),
                width: random.uniform(0.8...3),
                text: clutter > 0 ? typeface.map { Canvas.outline(of: String(text), $0) } ?? [] : [])
        }
        boards = (0..<6).map { _ in board(using: &random) }
        sign = random.chance(clutter * (ground == .grass ? 0.06 : 0.2)) ? board(using: &random) : nil
    }

    /// - Parameters:
    ///   - shift: the camera's movement to the right.
    ///   - left: of the canvas's area; so are `top` and `size`.
    func paint(on canvas: Canvas, shift: Double, left: Double, top: Double, size: Point) {
        var random = stream
        canvas.scoped {
            canvas.translate([-shift, 0])
            let (left, right) = (left + shift - 0.1, left + shift + size.x + 0.1)
            let bottom = top + size.y + 0.1
            let colour = floor(using: &random)
            canvas.rectangle([left, top - 0.1], [right - left, size.y + 0.2], colour)
            paintBands(on: canvas, from: left, to: right, top: top, bottom: bottom, using: &random)
            if let sign { paintSign(sign, on: canvas, using: &random) }
            paintLines(on: canvas, using: &random)
            if horizon > top {
                paintStand(on: canvas, from: left, to: right, top: top, using: &random)
            }
        }
    }

    func paintShadow(on canvas: Canvas, at x: Double) {
        // Soft edges: darker towards the middle.
        let dark = Colour.black.opacity(shadow.strength / 3)
        for spread in [1.25, 1, 0.75] {
            let (near, far) = (0.2 * spread, 0.15 * spread)
            let way = shadow.way
            canvas.fill(
                [
                    [
                        [x - near, 0.02], [x + near, 0.02], [x + far + way.x, way.y - 0.04],
                        [x - far + way.x, way.y - 0.04],
                    ]
                ], dark)
            canvas.ellipse([x, 0.02], Point(0.32, 0.08) * spread, dark)
        }
    }

    private func floor(using random: inout RandomStream) -> Colour {
        func between(_ a: UInt32, _ b: UInt32) -> Colour {
            Colour(a).mixed(with: Colour(b), random.uniform())
        }
        return switch ground {
        case .grass:
            between(0x2F6B22, 0x6A8F3C).mixed(with: between(0x2A4F20, 0x788A58), random.uniform(0...0.7))
        case .court:
            random.chance(0.85)
                ? between(0xB98A54, 0xE2BE8C)
                : (random.chance(0.5) ? between(0x1F5FA8, 0x3E7CB0) : between(0xA85C3C, 0xC8906C))
        case .floor:
            [between(0x8C8F93, 0x55606B), between(0x2F7F6A, 0x3F8FA0), between(0x2A4F90, 0x4878B0)]
                .randomElement(using: &random) ?? between(0x8C8F93, 0x55606B)
        case .ice: between(0xE4EAEE, 0xB8C4CC)
        case .track: between(0x9C4430, 0xC06A4C)
        }
    }

    /// Mown stripes, worn patches, floorboards.
    private func paintBands(
        on canvas: Canvas, from left: Double, to right: Double, top: Double, bottom: Double,
        using random: inout RandomStream
    ) {
        let isBoarded = ground == .court && random.chance(0.6)
        let width = isBoarded ? random.uniform(0.05...0.15) : random.uniform(0.6...3)
        let slant = random.uniform(-1.5...1.5)
        let strength = ground == .grass ? random.uniform(0...0.16) : random.uniform(0...0.07)
        let first = max(-80, Int((left / (2 * width)).rounded(.down)) - 3)
        let last = min(80, Int(right / (2 * width)) + 3)
        for band in first...max(first, last) {
            let x = Double(band) * 2 * width
            canvas.fill(
                [
                    [
                        [x + slant, top], [x + slant + width, top], [x + width - slant, bottom],
                        [x - slant, bottom],
                    ]
                ],
                .black.opacity(strength))
        }
        for _ in 0..<60 {
            let spot = Point(random.uniform(-4...4), random.uniform(-2.6...0.6))
            let colour: Colour = random.chance(0.5) ? .black : .white
            let radii = Point(random.uniform(0.05...0.5), random.uniform(0.02...0.15))
            canvas.ellipse(spot, radii, colour.opacity(random.uniform(0...0.06)))
        }
    }

    private func paintSign(_ sign: Board, on canvas: Canvas, using random: inout RandomStream) {
        let place = Point(random.uniform(-0.8...0.8), random.uniform(-1.8...(-0.3)))
        let height = random.uniform(0.2...0.6)
        let isBoxed = random.chance(0.4)
        if isBoxed {
            canvas.rectangle(
                place - Point(sign.width / 2, 0.1), [sign.width, height + 0.2], sign.colour)
        }
        let ink = isBoxed ? sign.ink : sign.colour
        canvas.fill(sign.text.map { $0.map { $0 * Point(height * 1.3, height) + place } }, ink)
    }

    private func paintLines(on canvas: Canvas, using random: inout RandomStream) {
        let colours: [Colour] =
            switch ground {
            case .grass, .track: [.white]
            case .court, .floor: [.white, Colour(0xE8D040), Colour(0x202428), Colour(0x2050A0)]
            case .ice: [Colour(0xC02030), Colour(0x2050A8)]
            }
        for _ in 0..<3 where random.chance(0.35) {
            let (from, to) = (random.uniform(-2.2...0.5), random.uniform(-2.2...0.5))
            let colour = colours.randomElement(using: &random) ?? .white
            canvas.line(
                Point(-5, from), Point(5, to), width: random.uniform(0.04...(ground == .ice ? 0.3 : 0.12)),
                colour.opacity(random.uniform(0.4...0.9)))
        }
    }

    private func paintStand(
        on canvas: Canvas, from left: Double, to right: Double, top: Double, using random: inout RandomStream
    ) {
        let dim = Colour(0x1E1E22).mixed(with: .white, random.uniform(0...0.3))
        canvas.rectangle([left, top - 0.1], [right - left, horizon - top + 0.1], dim)
        let lively = random.uniform(0.1...0.8)
        for _ in 0..<160 {
            let spot = Point(random.uniform(-3...3), random.uniform(-2.7...min(-0.05, horizon)))
            let colour = Palette.colour(using: &random).mixed(with: dim, 1 - lively * random.uniform())
            guard (left - 0.2...right + 0.2).contains(spot.x) else { continue }
            canvas.ellipse(spot, [random.uniform(0.05...0.16), random.uniform(0.06...0.2)], colour)
            if random.chance(0.5) {
                canvas.ellipse(spot + [0, -0.14], [0.05, 0.06], Colour(0xC89878).mixed(with: dim, 0.4))
            }
        }
        guard random.chance(0.75) else { return }
        let height = random.uniform(0.25...1)
        var x = -6 - 3 * random.uniform()
        for index in 0..<12 where x < right {
            let board = boards[index % boards.count]
            defer { x += board.width }
            guard x + board.width > left else { continue }
            canvas.rectangle([x, horizon - height], [board.width, height], board.colour)
            let reach = board.text.joined().reduce(0.1) { max($0, abs($1.x)) } * 2
            let inner = height * 0.62
            let stretch = min(inner * 1.2, board.width * 0.9 / reach)
            let middle = Point(x + board.width / 2, horizon - height * 0.81)
            canvas.fill(board.text.map { $0.map { $0 * Point(stretch, inner) + middle } }, board.ink)
        }
    }
}
