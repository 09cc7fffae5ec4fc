import Foundation
import Jersey
import JerseyOutput

/// The background: the ground, its lines, boards and the crowd. Lengths are in metres of the
/// picture, y down from the feet.
struct Scenery: Sendable {
    typealias Colour = Canvas.Colour
    typealias Point = Canvas.Point

    let ground: Sport.Ground
    /// Repeats the same drawing in every frame.
    private let stream: RandomStream
    /// The shadow under a player: its direction and length, and its darkness.
    private let shadow: (way: Point, strength: Double)

    init(_ ground: Sport.Ground, using random: inout RandomStream) {
        self.ground = ground
        shadow = ([random.uniform(-0.9...0.9), random.uniform(-0.15...0.3)], random.uniform(0...0.45))
        stream = RandomStream(random.next())
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
            paintLines(on: canvas, using: &random)
            // Most cameras look down, so the background is mostly ground.
            let horizon = random.chance(0.45) ? -random.uniform(0.2...2.6) : -9
            if horizon > top {
                paintStand(on: canvas, from: left, to: right, top: top, horizon: horizon, using: &random)
            }
        }
    }

    func paintShadow(on canvas: Canvas, at x: Double) {
        let (way, dark) = (shadow.way, Colour.black.opacity(shadow.strength))
        canvas.fill(
            [
                [
                    [x - 0.2, 0.02], [x + 0.2, 0.02], [x + 0.15 + way.x, way.y - 0.04],
                    [x - 0.15 + way.x, way.y - 0.04],
                ]
            ], dark)
        canvas.ellipse([x, 0.02], [0.3, 0.07], dark)
    }

    private func floor(using random: inout RandomStream) -> Colour {
        func between(_ a: UInt32, _ b: UInt32) -> Colour {
            Colour(a).mixed(with: Colour(b), random.uniform())
        }
        return switch ground {
        case .grass:
            between(0x2F6B22, 0x729644).mixed(with: between(0x28501E, 0x7C8C62), random.uniform(0...0.7))
        case .court:
            random.chance(0.6)
                ? between(0xC8965A, 0xE2BE8C)
                : [between(0x1F5FA8, 0x3E8CC8), between(0x8C8F93, 0x55606B), between(0x2F8F6A, 0x3FA07A)]
                    .randomElement(using: &random)!
        case .ice: between(0xE8EEF2, 0xB8C4CC)
        }
    }

    /// Mown stripes, worn patches, floorboards.
    private func paintBands(
        on canvas: Canvas, from left: Double, to right: Double, top: Double, bottom: Double,
        using random: inout RandomStream
    ) {
        let width = random.uniform(0.6...3)
        let slant = random.uniform(-1.5...1.5)
        let strength = ground == .grass ? random.uniform(0...0.16) : random.uniform(0...0.04)
        let first = Int((left / (2 * width)).rounded(.down)) - 3
        for band in first...(Int(right / (2 * width)) + 3) {
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

    private func paintLines(on canvas: Canvas, using random: inout RandomStream) {
        let colours: [Colour] =
            switch ground {
            case .grass: [.white]
            case .court: [.white, Colour(0xE8D040), Colour(0x202428), Colour(0x2050A0)]
            case .ice: [Colour(0xC02030), Colour(0x2050A8)]
            }
        for _ in 0..<3 where random.chance(0.3) {
            let (from, to) = (random.uniform(-2.2...0.5), random.uniform(-2.2...0.5))
            let colour = colours.randomElement(using: &random)!
            canvas.line(
                Point(-5, from), Point(5, to), width: random.uniform(0.04...(ground == .ice ? 0.3 : 0.12)),
                colour.opacity(random.uniform(0.4...0.9)))
        }
    }

    private func paintStand(
        on canvas: Canvas, from left: Double, to right: Double, top: Double, horizon: Double,
        using random: inout RandomStream
    ) {
        let dim = Colour(0x26262C).mixed(with: .white, random.uniform(0...0.35))
        canvas.rectangle([left, top - 0.1], [right - left, horizon - top + 0.1], dim)
        let lively = random.uniform(0.2...0.8)
        for _ in 0..<220 {
            let spot = Point(random.uniform(-4...4), random.uniform(-2.7...horizon))
            let colour = Kit.colours.randomElement(using: &random)!.mixed(
                with: dim, 1 - lively * random.uniform())
            canvas.ellipse(spot, [random.uniform(0.05...0.16), random.uniform(0.06...0.2)], colour)
            if random.chance(0.5) {
                canvas.ellipse(spot + [0, -0.14], [0.05, 0.06], Colour(0xC89878).mixed(with: dim, 0.4))
            }
        }
        guard random.chance(0.7) else { return }
        let height = random.uniform(0.25...0.9)
        let width = random.uniform(0.8...4)
        for board in -6..<6 {
            let colour = Kit.colours.randomElement(using: &random)!
            let x = Double(board) * width
            canvas.rectangle([x, horizon - height], [width, height], colour)
            let ink: Colour = colour.luminance > 0.5 ? .black : .white
            for letter in 0..<5 where random.chance(0.8) {
                canvas.rectangle(
                    [x + width * (0.15 + 0.14 * Double(letter)), horizon - height * 0.75],
                    [width * 0.08, height * 0.5],
                    ink.opacity(0.8))
            }
        }
    }
}
