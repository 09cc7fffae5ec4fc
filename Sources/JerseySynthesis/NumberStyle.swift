import Foundation
import Jersey
import JerseyOutput

/// How a kit's numbers look: shape, colours, outlines and what is inside the digits. Widths are
/// relative to the number's height.
struct NumberStyle: Sendable {
    typealias Colour = Canvas.Colour
    typealias Point = Canvas.Point

    enum Fill: Sendable {
        case plain
        /// Another colour below a height from 0 (top) to 1.
        case split(Colour, at: Double)
        case gradient(Colour)
        case stripes(Colour, count: Int)
        /// A thinner digit in another colour inside the digit.
        case inlay(Colour, rim: Double)
    }

    let face: NumberFace
    let colour: Colour
    let fill: Fill
    /// Outlines around the digits, the widest first.
    let borders: [(colour: Colour, width: Double)]
    let shadow: (colour: Colour, way: Point)?
    /// The number's ground, if it is pinned or sewn on.
    let patch: Colour?
    /// Width of digits relative to the face's.
    let stretch: Double
    /// Slant, taper to the top, and swing of the baseline.
    private let slant, taper, arc: Double

    /// - Parameters:
    ///   - grounds: colours that lie under the number.
    ///   - patches: share of numbers on a patch.
    init(
        palette: Palette, grounds: [Colour], patches: Double, difficulty: Difficulty,
        using random: inout RandomStream
    ) {
        let patch: Colour? =
            random.chance(patches * min(1, difficulty.clutter * 2))
            ? (random.chance(0.7) ? Palette.white : palette.second) : nil
        self.patch = patch
        let grounds = patch.map { [$0] } ?? grounds
        let contrast = random.chance(difficulty.faint) ? 0.2 : difficulty.contrast
        let ink = palette.ink(on: grounds, contrast: contrast, using: &random)
        let opposite = ink.luminance > 0.5 ? Palette.black : Palette.white
        let needsBorder = !grounds.allSatisfy { ink.distance(to: $0) > contrast }
        // Some numbers show only by their outline; others have an outline in their own colour and
        // look bold.
        let isHollow = random.chance(difficulty.hollow)
        let isBold = random.chance(0.2)
        func other() -> Colour {
            let candidates = [palette.second, palette.accent, palette.main, opposite].shuffled(using: &random)
            return candidates.first { $0.distance(to: ink) > 0.2 } ?? opposite
        }
        colour = isHollow ? palette.main.mixed(with: ink, random.uniform(0...0.15)) : ink
        let thin = random.uniform(0.02...0.055)
        var borders: [(colour: Colour, width: Double)] = []
        if isHollow || isBold && !needsBorder {
            borders = [(ink, isHollow ? thin + 0.015 : random.uniform(0.006...0.02))]
        } else if needsBorder || random.chance(0.35) {
            borders = [(needsBorder ? opposite : other(), thin)]
            if random.chance(difficulty.clutter * 0.35) {
                let outer = random.chance(0.5) ? palette.main : ink
                borders.insert((outer, thin + random.uniform(0.015...0.04)), at: 0)
            }
        }
        self.borders = borders
        face = NumberFace.random(fancy: difficulty.fancy, using: &random)
        let second = ink.mixed(with: other(), random.uniform(0.3...0.7))
        // A part in the shirt's colour would be missing.
        let isSeen = grounds.allSatisfy { second.distance(to: $0) > 0.2 }
        // An inlay would follow every contour, and bars have contours where they meet.
        let hasContours = if case .bars = face { false } else { true }
        if isHollow || !isSeen || !random.chance(difficulty.clutter * 0.28) {
            fill = .plain
        } else {
            fill =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: .split(second, at: random.uniform(0.35...0.65))
                case 1: .gradient(second)
                case 2: .stripes(second, count: Int.random(in: 5...14, using: &random))
                default: hasContours ? .inlay(other(), rim: random.uniform(0.05...0.11)) : .gradient(second)
                }
        }
        shadow =
            random.chance(0.1)
            ? (opposite, Point(random.uniform(-0.06...0.06), random.uniform(0.02...0.06))) : nil
        stretch = random.uniform(0.6...1.15)
        let isWarped = random.chance(difficulty.clutter)
        slant = isWarped && random.chance(0.12) ? random.uniform(0.06...0.24) : 0
        taper = isWarped ? random.normal() * 0.04 : 0
        arc = isWarped && random.chance(0.08) ? random.uniform(-0.12...0.12) : 0
    }

    /// One unit high and centred, before the kit stretches it.
    func outline(of text: String) -> Canvas.Outline {
        face.outline(of: text).map {
            $0.map { point in
                let x = point.x * (1 + taper * (2 * point.y - 1)) + slant * (0.5 - point.y)
                return Point(x, point.y + arc * point.x * point.x)
            }
        }
    }

    /// Paints a number in its colours, or all in one.
    ///
    /// - Parameters:
    ///   - outline: where it is painted, in the canvas's units.
    ///   - single: the colour of everything, for masks; without shadow and patch.
    func paint(_ outline: Canvas.Outline, on canvas: Canvas, as single: Colour? = nil) {
        let points = outline.joined()
        guard let first = points.first else { return }
        let low = points.reduce(first) { pointwiseMin($0, $1) }
        let high = points.reduce(first) { pointwiseMax($0, $1) }
        let height = high.y - low.y
        if single == nil {
            if let patch {
                let rim = Point(0.18, 0.15) * height
                canvas.rectangle(low - rim, high - low + 2 * rim, patch)
            }
            if let shadow {
                canvas.fill(outline.map { $0.map { $0 + shadow.way * height } }, shadow.colour)
            }
        }
        for border in borders {
            canvas.stroke(outline, width: 2 * border.width * height, single ?? border.colour)
        }
        canvas.fill(outline, single ?? colour)
        guard single == nil else { return }
        switch fill {
        case .plain: break
        case .gradient(let end): canvas.fill(outline, from: low.x, to: high.x, [colour, end])
        case .split(let lower, let share):
            canvas.scoped {
                canvas.clip(to: outline)
                canvas.rectangle(
                    [low.x, low.y + share * height], [high.x - low.x, (1 - share) * height], lower)
            }
        case .stripes(let other, let count):
            canvas.scoped {
                canvas.clip(to: outline)
                let step = height / Double(count)
                for stripe in 0..<count {
                    canvas.rectangle(
                        [low.x, low.y + Double(stripe) * step], [high.x - low.x, step * 0.45], other)
                }
            }
        case .inlay(let inner, let rim):
            // Thinner than the digits by the width of a border.
            canvas.scoped {
                canvas.clip(to: outline)
                canvas.fill(outline, inner)
                canvas.stroke(outline, width: rim * height, colour)
            }
        }
    }
}
