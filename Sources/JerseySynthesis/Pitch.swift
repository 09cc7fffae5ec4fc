import Foundation
import Jersey
import JerseyOutput

/// What a pitch's grass looks like.
struct Turf: Sendable {
    let colour, line: Canvas.Colour
    /// How much darker every other stripe is, and the stripes' width in metres.
    let stripe, width: Double
    let pattern: Pattern
    let worn: RandomStream

    enum Pattern: CaseIterable { case across, along, checks, circles }

    init(using random: inout RandomStream) {
        func between(_ a: UInt32, _ b: UInt32) -> Canvas.Colour {
            Canvas.Colour(a).mixed(with: Canvas.Colour(b), random.uniform())
        }
        colour = between(0x3F7A2C, 0x6E9A40).mixed(with: between(0x2F6638, 0x8A9A58), random.uniform(0...0.6))
        line = Canvas.Colour.white.mixed(with: colour, random.uniform(0.05...0.3))
        stripe = random.chance(0.15) ? 0.02 : random.uniform(0.06...0.2)
        width = 105 / Double([16, 18, 20, 24].randomElement(using: &random) ?? 18)
        pattern = random.chance(0.7) ? .across : Pattern.allCases.randomElement(using: &random) ?? .across
        worn = RandomStream(random.next())
    }
}

/// A football pitch, in metres from the centre spot, y towards the main stand.
enum Pitch {
    typealias Point = Canvas.Point

    static let (half, side) = (52.5, 34.0)
    /// From the edges of the ground to the centre spot, and the ground's size.
    static let margin = Point(Stadium.ends + 1, Stadium.far + 1)
    static let size = Point(2 * (Stadium.ends + 1), Stadium.far + Stadium.near + 2)

    static func paint(_ turf: Turf, on canvas: Canvas) {
        canvas.rectangle(-margin, size, turf.colour)
        paintStripes(turf, on: canvas)
        var random = turf.worn
        for _ in 0..<220 {
            let isGoal = random.chance(0.4)
            let end = random.chance(0.5) ? 1.0 : -1
            let spot =
                isGoal
                ? Point(end * random.uniform(44...52), random.normal() * 4)
                : Point(random.uniform(-half...half), random.uniform(-side...side))
            let tone: Canvas.Colour = random.chance(0.5) ? .black : Canvas.Colour(0xC8B878)
            canvas.ellipse(
                spot, [random.uniform(0.2...3), random.uniform(0.2...2)],
                tone.opacity(random.uniform(0...0.035)))
        }
        // Beyond the touchlines the ground is often another one.
        if random.chance(0.5) {
            let rim = Canvas.Colour(
                [0x6A4038, 0x4A5058, 0x3A6A38, 0x7A7468].randomElement(using: &random) ?? 0)
            let (x, y) = (half + 3.2, side + 3.2)
            canvas.rectangle(-margin, [size.x, margin.y - y], rim)
            canvas.rectangle([-margin.x, y], [size.x, size.y - margin.y - y], rim)
            canvas.rectangle(-margin, [margin.x - x, size.y], rim)
            canvas.rectangle([x, -margin.y], [margin.x - x, size.y], rim)
        }
        paintLines(on: canvas, turf.line)
    }

    private static func paintStripes(_ turf: Turf, on canvas: Canvas) {
        let dark = Canvas.Colour.black.opacity(turf.stripe)
        let width = turf.width
        let count = Int(60 / width) + 1
        switch turf.pattern {
        case .across, .checks:
            for stripe in -count..<count where stripe % 2 == 0 {
                canvas.rectangle([Double(stripe) * width, -margin.y], [width, size.y], dark)
            }
            guard turf.pattern == .checks else { return }
            for stripe in -count..<count where stripe % 2 == 0 {
                canvas.rectangle([-margin.x, Double(stripe) * width], [size.x, width], dark)
            }
        case .along:
            for stripe in -count..<count where stripe % 2 == 0 {
                canvas.rectangle([-margin.x, Double(stripe) * width], [size.x, width], dark)
            }
        case .circles:
            for ring in 0..<count where ring % 2 == 1 {
                canvas.stroke([circle(.zero, Double(ring) * width)], width: width, dark)
            }
        }
    }

    private static func circle(_ middle: Point, _ radius: Double) -> [Point] {
        (0..<96).map { step in
            let angle = 2 * .pi * Double(step) / 96
            return middle + Point(cos(angle), sin(angle)) * radius
        }
    }

    private static func paintLines(on canvas: Canvas, _ colour: Canvas.Colour) {
        let width = 0.12
        func box(_ low: Point, _ high: Point) {
            canvas.stroke([[low, [high.x, low.y], high, [low.x, high.y]]], width: width, colour)
        }
        box([-half, -side], [half, side])
        canvas.line([0, -side], [0, side], width: width, colour)
        canvas.stroke([circle(.zero, 9.15)], width: width, colour)
        canvas.ellipse(.zero, [0.15, 0.15], colour)
        for end in [-1.0, 1] {
            box([end * half, -20.16], [end * (half - 16.5), 20.16])
            box([end * half, -9.16], [end * (half - 5.5), 9.16])
            let spot = Point(end * (half - 11), 0)
            canvas.ellipse(spot, [0.15, 0.15], colour)
            // The part of the circle outside the penalty area.
            let arc = circle(spot, 9.15).filter { abs($0.x) < half - 16.5 }.sorted { $0.y < $1.y }
            for (one, other) in zip(arc, arc.dropFirst()) { canvas.line(one, other, width: width, colour) }
        }
    }
}
