import Foundation
import Jersey
import JerseyOutput

/// The look of digits: a font, or digits built from bars as on many shirts, which need no font.
enum NumberFace: Sendable {
    /// `gap` is the space between digits, relative to their height; nil uses the font's.
    case font(Canvas.Typeface, gap: Double? = nil)
    case bars(BarDigits)

    /// One unit high and centred at x = 0, with y from 0 (top) to 1.
    func outline(of number: String) -> Canvas.Outline {
        switch self {
        case .font(let typeface, nil): Canvas.outline(of: number, typeface)
        case .font(let typeface, let gap?):
            Self.row(number.map { Canvas.outline(of: String($0), typeface) }, gap: gap)
        case .bars(let digits): digits.outline(of: number)
        }
    }

    /// Digits side by side, centred as a whole. Each input is centred and one unit high.
    private static func row(_ digits: [Canvas.Outline], gap: Double) -> Canvas.Outline {
        let widths = digits.map { $0.joined().reduce(0.1) { max($0, abs($1.x)) } * 2 }
        var left = -(widths.reduce(0, +) + gap * Double(digits.count - 1)) / 2
        return zip(digits, widths).flatMap { digit, width in
            defer { left += width + gap }
            return digit.map { $0.map { $0 + Canvas.Point(left + width / 2, 0) } }
        }
    }

    /// - Parameter fancy: share of unusual digit shapes.
    static func random(fancy: Double, using random: inout RandomStream) -> NumberFace {
        let isFancy = random.chance(fancy)
        let choice = isFancy ? special : ordinary
        if choice.isEmpty || isFancy && random.chance(0.45) { return .bars(BarDigits(using: &random)) }
        let typeface = choice.randomElement(using: &random)!
        // Shirts are narrow, so digits often stand closer than in print.
        return .font(typeface, gap: random.chance(0.6) ? random.uniform(0.02...0.14) : nil)
    }

    static let ordinary = distinct([.init(family: "no such font")] + ordinaryWanted)
    static let special = distinct(ordinary + specialWanted).filter { !ordinary.contains($0) }

    /// The installed fonts. fontconfig replaces a missing one with another, whose digits then
    /// repeat.
    private static func distinct(_ typefaces: [Canvas.Typeface]) -> [Canvas.Typeface] {
        var seen: [Canvas.Outline] = []
        return typefaces.filter { typeface in
            let digits = Canvas.outline(of: "0123456789", typeface)
            guard !digits.isEmpty, !seen.contains(digits) else { return false }
            seen.append(digits)
            return true
        }
    }

    private static let ordinaryWanted: [Canvas.Typeface] = [
        // fonts-dejavu-core, fonts-liberation
        .init(family: "DejaVu Sans"), .init(family: "DejaVu Sans Condensed"), .init(family: "DejaVu Serif"),
        .init(family: "DejaVu Sans Condensed", italic: true), .init(family: "Liberation Sans"),
        .init(family: "Liberation Sans", italic: true), .init(family: "Liberation Sans Narrow"),
        .init(family: "Liberation Serif"),
    ]

    private static let specialWanted: [Canvas.Typeface] = [
        // fonts-bebas-neue, fonts-league-spartan, fonts-opendin, fonts-national-park
        .init(family: "Bebas Neue"), .init(family: "Bebas Neue", bold: false),
        .init(family: "Bebas Neue", italic: true),
        .init(family: "League Spartan"), .init(family: "OSP-DIN", bold: false), .init(family: "OSP-DIN"),
        .init(family: "National Park"), .init(family: "National Park Heavy"),
        // fonts-roadgeek
        .init(family: "Roadgeek 2014 Series B"), .init(family: "Roadgeek 2014 Series C"),
        .init(family: "Roadgeek 2014 Series D"),
        .init(family: "Roadgeek 2014 Series EM"), .init(family: "Roadgeek 2014 Series F"),
        // fonts-roboto-unhinted, fonts-open-sans, fonts-yanone-kaffeesatz, fonts-play
        .init(family: "Roboto Condensed"), .init(family: "Roboto Condensed", italic: true),
        .init(family: "Roboto Black"),
        .init(family: "Roboto", bold: false), .init(family: "Open Sans Condensed"),
        .init(family: "Open Sans Extrabold"),
        .init(family: "Yanone Kaffeesatz"), .init(family: "Play"),
        // fonts-aenigma
        .init(family: "Vigilance BRK"), .init(family: "Combustion Plain BRK"),
        .init(family: "Alpha Beta BRK"),
        .init(family: "Forcible BRK"), .init(family: "Extraction BRK"), .init(family: "Corpulent Caps BRK"),
        .init(family: "Conduit BRK"), .init(family: "Pneumatics BRK"), .init(family: "Revert BRK"),
        .init(family: "Galapogos BRK"), .init(family: "Jasper Solid BRK"),
        .init(family: "Hand Me Down S BRK"),
        .init(family: "Kaliber Solid BRK"), .init(family: "Persuasion BRK"), .init(family: "Dynamic BRK"),
        .init(family: "Stranded BRK"), .init(family: "Regenerate BRK"), .init(family: "Unlearned 2 BRK"),
    ]
}

/// Digits made of straight bars, with cut or rounded corners, upright or slanted, narrow or wide.
struct BarDigits: Sendable {
    typealias Point = Canvas.Point

    /// All relative to a digit's height: its width, the bars' thickness, the cut at corners, the
    /// slant, and the gap between digits.
    var width, thickness, cut, slant, gap: Double
    /// Corners of the joints: 8 look cut, more look round.
    var roundness: Int
    /// Whether a 4 is open at the top, and a 1 has a foot.
    var isFourOpen, hasOneFoot: Bool
    /// In a digit's unit square: the end of a 1's flag, and the crossing of a 4's bars.
    var flag, crossing: Point

    init(using random: inout RandomStream) {
        width = random.uniform(0.38...0.68)
        // Keeps the holes of an 8 open.
        thickness = random.uniform(0.1...0.38 * width)
        cut = random.uniform(0.02...0.18)
        slant = random.chance(0.25) ? random.uniform(0.05...0.22) : 0
        gap = random.uniform(0.05...0.14)
        roundness = random.chance(0.5) ? 8 : 16
        isFourOpen = random.chance(0.3)
        hasOneFoot = random.chance(0.25)
        // A level flag makes a 1 look like a 7 with a straight stem.
        let isFlagLevel = random.chance(0.4)
        flag =
            isFlagLevel
            ? Point(random.uniform(0...0.35), 0)
            : Point(random.uniform(-0.1...0.3), random.uniform(0.05...0.3))
        crossing = Point(random.uniform(0.55...0.9), random.uniform(0.58...0.8))
    }

    func outline(of number: String) -> Canvas.Outline {
        let step = width + gap
        let digits = number.compactMap(\.wholeNumberValue)
        let left = -Double(digits.count) * step / 2 + gap / 2
        return digits.enumerated().flatMap { place, digit in
            strokes(of: digit).flatMap { outline(alongStroke: $0, left: left + Double(place) * step) }
        }
    }

    /// Each bar and each joint is its own contour. All have the same orientation, so that together
    /// they fill one shape.
    private func outline(alongStroke stroke: [Point], left: Double) -> Canvas.Outline {
        let size = Point(width - thickness, 1 - thickness)
        let points = rounded(stroke.map { $0 * size + Point(left + thickness / 2, thickness / 2) })
        let half = thickness / 2
        var contours: Canvas.Outline = []
        for (index, (from, to)) in zip(points, points.dropFirst()).enumerated() {
            let along = (to - from) / max((to - from).length, 1e-9) * half
            let across = Point(-along.y, along.x)
            let start = index == 0 ? from - along : from
            let end = index == points.count - 2 ? to + along : to
            contours.append([start + across, start - across, end - across, end + across])
            guard index > 0 else { continue }
            let turn = Double.pi / Double(roundness)
            contours.append(
                (0..<roundness).reversed().map { corner in
                    let angle = 2 * .pi * Double(corner) / Double(roundness) + turn
                    return from + Point(cos(angle), sin(angle)) * (half / cos(turn))
                })
        }
        return contours.map { contour in
            let leaning = contour.map { Point($0.x + (0.5 - $0.y) * slant, $0.y) }
            return leaning.signedArea < 0 ? leaning.reversed() : leaning
        }
    }

    private func rounded(_ stroke: [Point]) -> [Point] {
        stroke.indices.flatMap { index in
            guard index > 0, index < stroke.count - 1 else { return [stroke[index]] }
            return [stroke[index - 1], stroke[index + 1]].map { neighbour in
                let way = neighbour - stroke[index]
                return stroke[index] + way * min(0.45, cut / max(way.length, 1e-9))
            }
        }
    }

    private func strokes(of digit: Int) -> [[Point]] {
        switch digit {
        case 1 where hasOneFoot: [[flag, [0.5, 0], [0.5, 1]], [[0.1, 1], [0.9, 1]]]
        case 1: [[flag + [0.05, 0], [0.55, 0], [0.55, 1]]]
        case 4 where isFourOpen:
            [[[0, 0], [0, crossing.y], [1, crossing.y]], [[crossing.x, 0.35], [crossing.x, 1]]]
        case 4:
            [[[crossing.x, 1], [crossing.x, 0]], [[crossing.x, 0], [0, crossing.y], [1, crossing.y]]]
        default: Self.strokes[digit]
        }
    }

    /// Centre lines of a digit's bars, in a unit square.
    private static let strokes: [[[Point]]] = [
        [[[0.5, 0], [1, 0], [1, 1], [0, 1], [0, 0], [0.5, 0]]],
        [[[0.15, 0.16], [0.55, 0], [0.55, 1]]],
        [[[0, 0.18], [0, 0], [1, 0], [1, 0.48], [0, 0.7], [0, 1], [1, 1]]],
        [
            [[0, 0.1], [0, 0], [1, 0], [1, 0.47], [0.4, 0.47]],
            [[0.4, 0.47], [1, 0.47], [1, 1], [0, 1], [0, 0.88]],
        ],
        [[[0.75, 1], [0.75, 0]], [[0.75, 0], [0, 0.7], [1, 0.7]]],
        [[[1, 0], [0, 0], [0, 0.45], [1, 0.45], [1, 1], [0, 1], [0, 0.88]]],
        [[[1, 0.12], [1, 0], [0, 0], [0, 1], [1, 1], [1, 0.45], [0, 0.45]]],
        [[[0, 0], [1, 0], [0.35, 1]]],
        [
            [[0.5, 0.47], [1, 0.47], [1, 0], [0, 0], [0, 0.47], [0.5, 0.47]],
            [[0.5, 0.47], [1, 0.47], [1, 1], [0, 1], [0, 0.47], [0.5, 0.47]],
        ],
        [[[0, 0.88], [0, 1], [1, 1], [1, 0], [0, 0], [0, 0.55], [1, 0.55]]],
    ]
}

extension [Canvas.Point] {
    /// Twice the area; positive if the points run clockwise in the picture.
    var signedArea: Double {
        indices.reduce(0) { sum, index in
            let (a, b) = (self[index], self[(index + 1) % count])
            return sum + a.x * b.y - b.x * a.y
        }
    }
}

extension SIMD2<Double> {
    var length: Double { (self * self).sum().squareRoot() }
}
