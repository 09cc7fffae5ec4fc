import Foundation
import Jersey
import JerseyOutput

/// A shirt, cut open along the chest and laid flat: `u` runs around it from 0 to 1 with the spine
/// at 0.5, `v` down from the collar.
struct ShirtTexture: Sendable {
    let width, height: Int
    /// Red, green and blue from 0 to 255, and the share covered by the number, from 0 to 1.
    let texels: [SIMD4<Float>]
    /// Areas of the numbers on the back and the chest, in square metres.
    let backArea, chestArea: Double
    /// Shine of the cloth, from 0 to 1.
    let gloss: Float

    /// - Parameters:
    ///   - girth: of the shirt, in metres; so is `length`.
    ///   - skin: seen where a shirt has no sleeves.
    ///   - density: texels per metre.
    init(_ kit: Kit, girth: Double, length: Double, skin: Canvas.Colour? = nil, density: Double) {
        let (width, height) = (
            max(8, Int((girth * density).rounded())), max(8, Int((length * density).rounded()))
        )
        let (shirt, mask) = (Canvas(width: width, height: height), Canvas(width: width, height: height))
        for canvas in [shirt, mask] {
            canvas.scale([Double(width) / girth, Double(height) / length])
            canvas.translate([girth / 2, 0])
        }
        kit.paint(on: shirt, girth: girth, length: length, skin: skin)
        mask.fill(.black)
        kit.paintNumbers(on: mask, girth: girth, as: .white)
        let (colours, covered) = (shirt.image.pixels, mask.image.pixels)
        let (strength, phase) = (Float(kit.wrinkles), Float(kit.patternPhase) * 256)
        let step = Float(1 / density)
        // The back spans the middle half.
        let back = width / 4..<3 * width / 4
        var (backArea, chestArea): (Float, Float) = (0, 0)
        texels = (0..<width * height).map { texel -> SIMD4<Float> in
            let (x, y) = (texel % width, texel / width)
            let share = Float(covered[texel * 3]) / 255
            if back.contains(x) { backArea += share } else { chestArea += share }
            let shade =
                strength == 0 ? 1 : 1 + strength * Self.crease(Float(x) * step, Float(y) * step, phase)
            return SIMD4(
                Float(colours[texel * 3]) * shade, Float(colours[texel * 3 + 1]) * shade,
                Float(colours[texel * 3 + 2]) * shade, share)
        }
        self.width = width
        self.height = height
        self.backArea = Double(backArea) / (density * density)
        self.chestArea = Double(chestArea) / (density * density)
        gloss = Float(kit.gloss)
    }

    /// Light on one side of creases and shade on the other, about -1 to 1, at a place in metres.
    private static func crease(_ x: Float, _ y: Float, _ phase: Float) -> Float {
        let noise = Noise.shared
        // Long creases run downward to one side, short ones across.
        let (a, b) = (x * 240 + y * 60 + phase, y * 110 - x * 40 + phase * 1.7)
        let (c, d) = (x * 90 - y * 90 + phase * 0.6, y * 260 + x * 90 - phase)
        return 2.2 * (noise(a, b) - noise(a + 7, b + 4)) + 1.6 * (noise(c, d) - noise(c + 3, d + 7))
    }
}

// MARK: - Painting, in metres from the spine and the collar

extension Kit {
    fileprivate func paint(on canvas: Canvas, girth: Double, length: Double, skin: Colour?) {
        canvas.fill(shirt)
        paintPattern(on: canvas, half: girth / 2, length: length)
        canvas.rectangle([-girth / 2, 0], [girth, 0.045], collar)
        for badge in badges {
            for x in Self.origins(girth, isOnChest: badge.isOnChest) {
                canvas.ellipse(badge.place + Point(x, 0), badge.radii, badge.colour)
                canvas.ellipse(badge.place + Point(x, 0), badge.radii * 0.6, badge.inner)
            }
        }
        for lettering in letterings {
            let (low, high) = lettering.print.bounds
            for x in Self.origins(girth, isOnChest: lettering.print.isOnChest) {
                if let box = lettering.box {
                    let rim = (high.y - low.y) * 0.3
                    canvas.rectangle(low + Point(x - rim, -rim), high - low + 2 * Point(rim, rim), box)
                }
                canvas.fill(lettering.print.moved(x), lettering.colour)
            }
        }
        for print in bib {
            for x in Self.origins(girth, isOnChest: print.isOnChest) {
                style.paint(print.moved(x), on: canvas)
            }
        }
        paintNumbers(on: canvas, girth: girth, as: nil)
        guard let skin, sleeveLength < 0.1 else { return }
        // The arms of a shirt without sleeves come out where the sides are.
        for side in [-girth / 4, girth / 4] {
            canvas.ellipse([side, 0.1], [0.055, 0.15], sleeves)
            canvas.ellipse([side, 0.1], [0.042, 0.135], skin)
        }
    }

    /// Paints the numbers in their colours, or all in one.
    fileprivate func paintNumbers(on canvas: Canvas, girth: Double, as single: Colour?) {
        for print in [back, chest].compactMap(\.self) {
            for x in Self.origins(girth, isOnChest: print.isOnChest) {
                style.paint(print.moved(x), on: canvas, as: single)
            }
        }
    }

    /// What lies on the chest straddles both edges.
    private static func origins(_ girth: Double, isOnChest: Bool) -> [Double] {
        isOnChest ? [-girth / 2, girth / 2] : [0]
    }

    private func paintPattern(on canvas: Canvas, half: Double, length: Double) {
        func column(_ x: Double, _ width: Double) { canvas.rectangle([x, 0], [width, length], trim) }
        func row(_ y: Double, _ height: Double) { canvas.rectangle([-half, y], [2 * half, height], trim) }
        let phase = patternPhase
        switch pattern {
        case nil: break
        case .stripes: for x in stride(from: -half, to: half, by: half / 5) { column(x, half / 10) }
        case .pinstripes: for x in stride(from: -half, to: half, by: half / 9) { column(x, 0.008) }
        case .hoops:
            let count = (3 + 4 * phase).rounded()
            for y in stride(from: 0, to: length, by: length / count) { row(y, length / count / 2) }
        case .band: row(0.12 + 0.12 * phase, 0.1 + 0.12 * phase)
        case .halves: column(0, half)
        case .sash:
            canvas.fill(
                [[[-half / 2, 0], [-half / 2 + 0.14, 0], [half / 2, length], [half / 2 - 0.14, length]]], trim
            )
        case .shoulders: row(0, 0.08 + 0.09 * phase)
        case .sides: for x in [-half / 2, half / 2] { column(x - 0.03 - 0.05 * phase, 0.06 + 0.1 * phase) }
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
        case .hem:
            row(length * (0.72 + 0.08 * phase), 0.05)
            if phase > 0.4 { row(length * (0.84 + 0.05 * phase), 0.03) }
            row(0, 0.05 + 0.06 * phase)
        case .chevron:
            for middle in [-half, 0, half] {
                let top = 0.1 + 0.15 * phase
                let (left, right) = (middle - half / 2, middle + half / 2)
                canvas.fill(
                    [
                        [
                            [left, top - 0.12], [middle, top], [right, top - 0.12], [right, top - 0.05],
                            [middle, top + 0.07], [left, top - 0.05],
                        ]
                    ], trim)
            }
        case .camouflage, .brush: paintPrint(on: canvas, half: half, length: length)
        }
    }

    /// An irregular print in two or three tones.
    private func paintPrint(on canvas: Canvas, half: Double, length: Double) {
        let (columns, rows) = (96, 64)
        let stretch: Float = pattern == .brush ? 0.25 : 1
        let offset = Float(patternPhase) * 251
        let tones = [shirt, trim, shirt.mixed(with: trim, 0.5)].map(\.levels)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(columns * rows * 3)
        for pixel in 0..<columns * rows {
            let (x, y) = (Float(pixel % columns) * 2.5, Float(pixel / columns) * 2.5)
            let value = Noise.shared(x + offset + y * (1 - stretch), y * stretch + offset)
            let tone = tones[value > 0.12 ? 1 : (value < -0.25 ? 2 : 0)]
            for channel in 0..<3 { pixels.append(UInt8(max(0, min(255, tone[channel])))) }
        }
        canvas.draw(
            Canvas(RGBImage(width: columns, height: rows, pixels: pixels)), at: [-half, 0],
            size: [2 * half, length])
    }
}

extension Kit.Print {
    /// The outline on the canvas, from the middle of the back or the chest at `x`.
    fileprivate func moved(_ x: Double) -> Canvas.Outline {
        outline.map { $0.map { $0 + place + Canvas.Point(x, 0) } }
    }
}
