import Foundation
import Jersey
import JerseyOutput

/// A shirt with everything on it, and the rest of the outfit. Lengths are in metres.
struct Kit: Sendable {
    typealias Colour = Canvas.Colour
    typealias Point = Canvas.Point

    enum Pattern: CaseIterable {
        case stripes, pinstripes, hoops, band, halves, sash, shoulders, sides, fade, checks
    }

    /// A line of text other than the number; `place` is the middle of its top edge.
    struct Lettering {
        var outline: Canvas.Outline
        var place: Point
        var height: Double
        var colour: Colour
    }

    let shirt, trim, sleeves, cuffs, collar, shorts, socks, shoes: Colour
    /// Nil for a plain shirt.
    let pattern: Pattern?
    /// How far the sleeve reaches along the arm: 0 is sleeveless, 1 the elbow, 2 the wrist.
    let sleeveLength: Double

    /// Empty if the shirt has no number.
    let number: Canvas.Outline
    let numberColour: Colour
    /// An outline around the number, a thinner one inside it, and a drop shadow.
    let border, inlay, shadow: Colour?
    let borderWidth: Double
    /// Width of the number's colour that the inlay leaves, relative to the number's height.
    let inlayWidth: Double
    let numberSize: Point
    /// Distance from the collar to the number's upper edge.
    let numberTop: Double
    /// Whether a small number is on the chest.
    let frontNumber: Bool
    let letterings: [Lettering]

    init(number text: String?, sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
        func colour() -> Colour { Self.colours.randomElement(using: &random)!.shaken(using: &random) }
        let shirt = colour()
        let pattern =
            random.chance(difficulty.patterned) ? Pattern.allCases.randomElement(using: &random) : nil
        // What lies under the number must not look like it. Tone-on-tone patterns interfere least.
        let trim = random.chance(0.5) ? shirt.mixed(with: colour(), random.uniform(0.1...0.5)) : colour()
        let isUnderNumber = [.stripes, .hoops, .halves, .fade, .checks, .band, .sash].contains(pattern)
        let grounds = isUnderNumber ? [shirt, trim] : [shirt]
        let contrast = random.chance(difficulty.faint) ? 0.15 : difficulty.contrast
        func isReadable(_ colour: Colour) -> Bool {
            grounds.allSatisfy { colour.distance(to: $0) > contrast }
        }
        // Black or white, as on most shirts.
        let usual: Colour = shirt.luminance > 0.5 ? Colour(0x16181C) : Colour(0xF4F4F2)
        let candidates = (random.chance(0.6) ? [usual] : []) + (0..<40).map { _ in colour() }
        let numberColour = candidates.first(where: isReadable) ?? usual
        let opposite: Colour = numberColour.luminance > 0.5 ? Colour(0x101216) : Colour(0xF8F8F6)
        let needsBorder = !isReadable(numberColour)
        // Some numbers show only by their outline; others have an outline in their own colour and
        // look bold.
        let isHollow = random.chance(difficulty.hollow)
        let isBold = random.chance(0.2)
        self.shirt = shirt
        self.pattern = pattern
        self.trim = trim
        self.numberColour = isHollow ? shirt.mixed(with: trim, random.uniform(0...0.15)) : numberColour
        if isHollow || isBold && !needsBorder {
            border = numberColour
        } else {
            border = needsBorder || random.chance(0.3) ? (random.chance(0.7) ? opposite : colour()) : nil
        }
        let inside = !isHollow && random.chance(0.15) ? (random.chance(0.7) ? shirt : colour()) : nil
        inlayWidth = random.uniform(0.05...0.11)
        shadow = random.chance(0.08) ? opposite : nil
        borderWidth =
            isBold && !isHollow && !needsBorder ? random.uniform(0.003...0.009) : random.uniform(0.006...0.02)

        sleeves = random.chance(0.65) ? shirt : (random.chance(0.6) ? trim : colour())
        cuffs = random.chance(0.6) ? sleeves : colour()
        collar = random.chance(0.5) ? shirt : colour()
        shorts = random.chance(0.4) ? shirt : colour()
        socks = random.chance(0.5) ? shirt : (random.chance(0.5) ? shorts : colour())
        shoes = random.chance(0.5) ? Colour(0x1B1B1D) : colour()
        sleeveLength = random.uniform(sport.sleeves)

        let face = NumberFace.random(fancy: difficulty.fancy, using: &random)
        number = text.map(face.outline) ?? []
        // An inlay would follow every contour, and bars have contours where they meet.
        inlay = if case .bars = face { nil } else { inside }
        let height = random.uniform(sport.numberHeight)
        let width = max(0.1, number.joined().reduce(0) { max($0, abs($1.x)) } * 2)
        // Two wide digits must still fit between the shoulder blades.
        let stretch = min(random.uniform(0.6...1.1), 0.4 / (height * width))
        numberSize = Point(height * stretch, height)
        numberTop = random.uniform(0.13...0.2)
        frontNumber = random.chance(sport.frontNumbers)
        letterings = Self.letterings(
            below: numberTop + height, above: numberTop, numberColour: numberColour, shirt: shirt,
            using: &random)
    }

    private static func letterings(
        below: Double, above: Double, numberColour: Colour, shirt: Colour, using random: inout RandomStream
    ) -> [Lettering] {
        func line(_ length: ClosedRange<Int>, at place: Point, height: Double, width: Double) -> Lettering {
            let letters = (0..<Int.random(in: length, using: &random)).map { _ in
                "ABCDEFGHIJKLMNOPRSTUVWXYZ".randomElement(using: &random)!
            }
            let typeface =
                (NumberFace.ordinary + NumberFace.special).randomElement(using: &random)
                ?? .init(family: "sans")
            let outline = Canvas.outline(of: String(letters), typeface)
            let reach = outline.joined().reduce(0.1) { max($0, abs($1.x)) } * 2
            let colour = random.chance(0.7) ? numberColour : colours.randomElement(using: &random)!
            return Lettering(
                outline: outline, place: place, height: min(height, width / reach), colour: colour)
        }
        var lines: [Lettering] = []
        if random.chance(0.6) {
            let height = random.uniform(0.035...0.06)
            lines.append(
                line(
                    3...10, at: [0, above - height - random.uniform(0.015...0.04)], height: height,
                    width: 0.34))
        }
        if random.chance(0.35) {
            lines.append(
                line(
                    4...10, at: [0, below + random.uniform(0.02...0.05)], height: random.uniform(0.03...0.07),
                    width: 0.3))
        }
        let chest = random.uniform(0.2...0.3)
        if random.chance(0.75) {
            lines.append(line(3...9, at: [front, chest], height: random.uniform(0.05...0.12), width: 0.32))
        }
        if random.chance(0.2) {
            lines.append(line(3...8, at: [front, chest + 0.14], height: 0.05, width: 0.25))
        }
        return lines
    }

    /// Stands for the middle of the chest: any distance from the spine beyond halfway around.
    private static let front = 9.0

    static let colours: [Colour] = [
        0xF6F6F4, 0xF6F6F4, 0xF2F2F2, 0x16181C, 0x16181C, 0xC8102E, 0xD81E2C, 0x7A0019, 0x0B3D91, 0x1E5AC8,
        0x6CABDD, 0x1B1F4B,
        0xFFD200,
        0xF2E205, 0xF58220, 0x00703C, 0x2FA84F, 0x6A2C91, 0x8C8F93, 0xF7A8C4, 0x00A6A0, 0xA8E05F,
    ].map { Colour($0) }
}

extension Canvas.Colour {
    /// Varies a colour slightly: cloth fades, cameras differ.
    func shaken(using random: inout RandomStream) -> Self {
        var shade = mixed(with: .init(0x808080), random.uniform(0...0.15))
        shade.red += random.uniform(-0.05...0.05)
        shade.green += random.uniform(-0.05...0.05)
        shade.blue += random.uniform(-0.05...0.05)
        return shade
    }

    /// Approximates perceived difference: luminance counts most.
    func distance(to other: Self) -> Double {
        abs(luminance - other.luminance) + 0.2 * (abs(red - other.red) + abs(blue - other.blue)) / 2
    }

    var levels: SIMD3<Float> { SIMD3(Float(red), Float(green), Float(blue)) * 255 }
}

/// A shirt, cut open along the chest and laid flat: `u` runs around it from 0 to 1 with the spine
/// at 0.5, `v` down from the collar.
struct ShirtTexture: Sendable {
    let width, height: Int
    /// Red, green and blue from 0 to 255, and the share covered by the number, from 0 to 1.
    let texels: [SIMD4<Float>]
    /// Area of the number on the back, in square metres.
    let numberArea: Double

    /// - Parameters:
    ///   - girth: of the shirt, in metres; so is `length`.
    ///   - density: texels per metre.
    init(_ kit: Kit, girth: Double, length: Double, density: Double) {
        width = max(8, Int((girth * density).rounded()))
        height = max(8, Int((length * density).rounded()))
        let (shirt, mask) = (Canvas(width: width, height: height), Canvas(width: width, height: height))
        for canvas in [shirt, mask] {
            canvas.scale([Double(width) / girth, Double(height) / length])
            canvas.translate([girth / 2, 0])
        }
        kit.paint(on: shirt, girth: girth, length: length)
        mask.fill(.black)
        kit.paintNumber(on: mask, as: .white)
        kit.paintFrontNumber(on: mask, girth: girth, as: .white)
        let (colours, covered) = (shirt.image.pixels, mask.image.pixels)
        texels = (0..<width * height).map { texel -> SIMD4<Float> in
            let (red, green, blue) = (
                Float(colours[texel * 3]), Float(colours[texel * 3 + 1]), Float(colours[texel * 3 + 2])
            )
            return SIMD4(red, green, blue, Float(covered[texel * 3]) / 255)
        }
        // The back spans the middle half.
        let back = width / 4..<3 * width / 4
        var area: Float = 0
        for row in 0..<height { for column in back { area += texels[row * width + column].w } }
        numberArea = Double(area) / (density * density)
    }
}

// MARK: - Painting, in metres from the spine and the collar

extension Kit {
    fileprivate func paint(on canvas: Canvas, girth: Double, length: Double) {
        canvas.fill(shirt)
        paintPattern(on: canvas, half: girth / 2, length: length)
        canvas.rectangle([-girth / 2, 0], [girth, 0.045], collar)
        for lettering in letterings {
            // Lettering on the chest straddles both edges.
            let places = lettering.place.x > girth / 2 ? [-girth / 2, girth / 2] : [lettering.place.x]
            for x in places {
                let outline = lettering.outline.map {
                    $0.map { $0 * lettering.height + Point(x, lettering.place.y) }
                }
                canvas.fill(outline, lettering.colour)
            }
        }
        paintFrontNumber(on: canvas, girth: girth, as: numberColour)
        paintNumber(on: canvas, as: nil)
    }

    fileprivate func paintFrontNumber(on canvas: Canvas, girth: Double, as colour: Colour) {
        guard frontNumber else { return }
        for x in [-girth / 2, girth / 2] {
            canvas.fill(number.map { $0.map { $0 * numberSize * 0.5 + Point(x, 0.36) } }, colour)
        }
    }

    /// Paints in its own colours, or all in one.
    fileprivate func paintNumber(on canvas: Canvas, as single: Colour?) {
        guard !number.isEmpty else { return }
        let outline = number.map { $0.map { $0 * numberSize + Point(0, numberTop) } }
        if let shadow, single == nil {
            canvas.fill(outline.map { $0.map { $0 + Point(0.014, 0.014) } }, shadow)
        }
        if let border { canvas.stroke(outline, width: 2 * borderWidth, single ?? border) }
        canvas.fill(outline, single ?? numberColour)
        if let inlay, single == nil {
            // Thinner than the digits by the width of a border.
            canvas.scoped {
                canvas.clip(to: outline)
                canvas.fill(outline, inlay)
                canvas.stroke(outline, width: numberSize.y * inlayWidth, numberColour)
            }
        }
    }

    private func paintPattern(on canvas: Canvas, half: Double, length: Double) {
        func column(_ x: Double, _ width: Double) { canvas.rectangle([x, 0], [width, length], trim) }
        func row(_ y: Double, _ height: Double) { canvas.rectangle([-half, y], [2 * half, height], trim) }
        switch pattern {
        case nil: break
        case .stripes: for x in stride(from: -half, to: half, by: half / 5) { column(x, half / 10) }
        case .pinstripes: for x in stride(from: -half, to: half, by: half / 9) { column(x, 0.008) }
        case .hoops: for y in stride(from: 0, to: length, by: length / 4) { row(y, length / 8) }
        case .band: row(0.18, 0.2)
        case .halves: column(0, half)
        case .sash:
            canvas.fill(
                [[[-half / 2, 0], [-half / 2 + 0.14, 0], [half / 2, length], [half / 2 - 0.14, length]]], trim
            )
        case .shoulders: row(0, 0.15)
        case .sides: for x in [-half / 2 - 0.05, half / 2 - 0.05] { column(x, 0.1) }
        case .fade:
            for step in 0..<24 {
                canvas.rectangle(
                    [-half, length * Double(step) / 24], [2 * half, length / 24 + 0.001],
                    shirt.mixed(with: trim, Double(step) / 23))
            }
        case .checks:
            for step in 0..<40 where (step % 8 + step / 8) % 2 == 0 {
                canvas.rectangle(
                    [-half + Double(step % 8) * half / 4, Double(step / 8) * length / 5],
                    [half / 4, length / 5], trim)
            }
        }
    }
}
