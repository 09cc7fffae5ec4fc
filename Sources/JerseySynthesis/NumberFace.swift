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
        .init(family: "Vigilance BRK"), .init(family: "Alpha Beta BRK"),
        .init(family: "Extraction BRK"), .init(family: "Corpulent Caps BRK"),
        .init(family: "Conduit BRK"), .init(family: "Galapogos BRK"), .init(family: "Hand Me Down S BRK"),
        .init(family: "Kaliber Solid BRK"), .init(family: "Dynamic BRK"),
        .init(family: "Regenerate BRK"),
    ]
}
