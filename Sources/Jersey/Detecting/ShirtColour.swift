import Foundation

/// The colour of a shirt, in CIELAB (D65), in which distances are about as large as they look.
package struct ShirtColour: Sendable, Equatable, Codable {
    /// 0, black, to 100.
    package var lightness: Double
    /// From green to red, some -100...100.
    package var greenRed: Double
    /// From blue to yellow, some -100...100.
    package var blueYellow: Double

    package init(lightness: Double, greenRed: Double, blueYellow: Double) {
        (self.lightness, self.greenRed, self.blueYellow) = (lightness, greenRed, blueYellow)
    }

    /// - Parameters: sRGB, 0...255.
    package init(red: Double, green: Double, blue: Double) {
        func linear(_ value: Double) -> Double {
            let share = min(max(value / 255, 0), 1)
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        let (r, g, b) = (linear(red), linear(green), linear(blue))
        func root(_ value: Double) -> Double {
            value > 216.0 / 24389 ? cbrt(value) : (24389.0 / 27 * value + 16) / 116
        }
        let x = root((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
        let y = root(0.2126729 * r + 0.7151522 * g + 0.0721750 * b)
        let z = root((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883)
        self.init(lightness: 116 * y - 16, greenRed: 500 * (x - y), blueYellow: 200 * (y - z))
    }

    /// The colour of the torso of a whole player: the median of its middle, so that numbers, arms
    /// and the ground beside hardly count. Nil if the torso is outside the picture.
    package init?(of player: Detection, in picture: RGBImage) {
        self.init(picture, of: player, columns: 0.3...0.7, rows: 0.2...0.45)
    }

    /// The colour of the shirt around a number, of which digits cover less than half. Nil if the
    /// number is outside the picture.
    init?(around number: NumberBox, in picture: RGBImage) {
        self.init(picture, of: number, columns: -0.2...1.2, rows: -0.2...1.2)
    }

    /// The median of a part of a box.
    ///
    /// - Parameters:
    ///   - columns: shares of the box.
    ///   - rows: shares of the box.
    private init?(
        _ picture: RGBImage, of box: some Rectangular, columns: ClosedRange<Double>,
        rows: ClosedRange<Double>
    ) {
        func places(_ start: Double, _ length: Double, _ part: ClosedRange<Double>, _ limit: Int) -> [Int] {
            let count = 8
            return (0..<count).compactMap { index in
                let share =
                    part.lowerBound
                    + (part.upperBound - part.lowerBound) * (Double(index) + 0.5) / Double(count)
                let place = Int(clamping: (start + length * share).rounded(.down))
                return (0..<limit).contains(place) ? place : nil
            }
        }
        let columns = places(box.left, box.width, columns, picture.width)
        let rows = places(box.top, box.height, rows, picture.height)
        guard columns.count * rows.count >= 16 else { return nil }
        let colours = rows.flatMap { row in
            columns.map { column in
                let place = (row * picture.width + column) * 3
                return ShirtColour(
                    red: Double(picture.pixels[place]), green: Double(picture.pixels[place + 1]),
                    blue: Double(picture.pixels[place + 2]))
            }
        }
        self = Self.middle(of: colours)
    }

    /// The median of each coordinate; `colours` must not be empty.
    static func middle(of colours: [ShirtColour]) -> ShirtColour {
        func median(_ value: (ShirtColour) -> Double) -> Double {
            colours.map(value).sorted()[colours.count / 2]
        }
        return ShirtColour(
            lightness: median(\.lightness), greenRed: median(\.greenRed), blueYellow: median(\.blueYellow))
    }

    /// How different two colours look. Brightness, which changes with the light, counts half.
    package func distance(to other: ShirtColour) -> Double {
        let (a, b, c) = (
            (lightness - other.lightness) / 2, greenRed - other.greenRed, blueYellow - other.blueYellow
        )
        return (a * a + b * b + c * c).squareRoot()
    }

    /// Moves a share of the way to another colour.
    func blended(with other: ShirtColour, share: Double) -> ShirtColour {
        ShirtColour(
            lightness: lightness + share * (other.lightness - lightness),
            greenRed: greenRed + share * (other.greenRed - greenRed),
            blueYellow: blueYellow + share * (other.blueYellow - blueYellow))
    }
}

extension ShirtColour {
    /// "#rrggbb", in sRGB.
    package var hex: String {
        let (r, g, b) = sRGB
        func two(_ value: Double) -> String {
            let text = String(Int(clamping: min(max(value, 0), 255).rounded()), radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        return "#" + two(r) + two(g) + two(b)
    }

    /// Red, green and blue, 0...255.
    package var sRGB: (red: Double, green: Double, blue: Double) {
        let y = (lightness + 16) / 116
        func cube(_ value: Double) -> Double {
            value * value * value > 216.0 / 24389 ? value * value * value : (116 * value - 16) * 27 / 24389
        }
        let (x, z) = (0.95047 * cube(y + greenRed / 500), 1.08883 * cube(y - blueYellow / 200))
        let light = cube(y)
        func coded(_ linear: Double) -> Double {
            let value = min(max(linear, 0), 1)
            return 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055)
        }
        return (
            coded(3.2404542 * x - 1.5371385 * light - 0.4985314 * z),
            coded(-0.9692660 * x + 1.8760108 * light + 0.0415560 * z),
            coded(0.0556434 * x - 0.2040259 * light + 1.0572252 * z)
        )
    }
}
