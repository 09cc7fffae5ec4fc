import Jersey
import JerseyOutput

/// The few colours that teams wear.
struct Palette: Sendable {
    typealias Colour = Canvas.Colour

    /// Colours and how often a kit has them as its main colour.
    private static let shares: [(Colour, Double)] = [
        (Colour(0xF4F4F2), 0.24), (Colour(0x17181B), 0.11), (Colour(0x141F42), 0.1),
        (Colour(0x1A3FA0), 0.09), (Colour(0xC01824), 0.14), (Colour(0x651428), 0.05),
        (Colour(0x5FA8D8), 0.04), (Colour(0xF2C81E), 0.06), (Colour(0xE2641C), 0.04),
        (Colour(0x0E6B3A), 0.05), (Colour(0x4FAF45), 0.025), (Colour(0x4A2A80), 0.03),
        (Colour(0x8A8D92), 0.03), (Colour(0x1193B5), 0.03), (Colour(0xD8558F), 0.015),
        (Colour(0xC6DC30), 0.02),
    ]

    static let white = Colour(0xF6F6F4)
    static let black = Colour(0x131417)

    static func colour(using random: inout RandomStream) -> Colour {
        var rest = random.uniform() * shares.map(\.1).reduce(0, +)
        let colour = shares.first { colour in
            rest -= colour.1
            return rest < 0
        }
        return (colour?.0 ?? white).shaken(using: &random)
    }

    let main, second, accent: Colour

    init(using random: inout RandomStream) {
        let main = Self.colour(using: &random)
        /// Another colour that one sees beside the main one.
        func other(using random: inout RandomStream) -> Colour {
            let candidates = (0..<6).map { _ in
                random.chance(0.45)
                    ? (random.chance(0.6) ? Self.white : Self.black) : Self.colour(using: &random)
            }
            return candidates.first { $0.distance(to: main) > 0.25 }
                ?? (main.luminance > 0.5 ? Self.black : Self.white)
        }
        self.main = main
        second = other(using: &random)
        accent = other(using: &random)
    }

    static let referee = Palette(main: white, second: black, accent: black)

    private init(main: Colour, second: Colour, accent: Colour) {
        (self.main, self.second, self.accent) = (main, second, accent)
    }

    /// A number's colour that is seen on all `grounds`: mostly black or white.
    ///
    /// - Parameter contrast: the least distance to each ground, from 0 to 1.
    func ink(on grounds: [Colour], contrast: Double, using random: inout RandomStream) -> Colour {
        let isLight = grounds.map(\.luminance).reduce(0, +) > 0.5 * Double(grounds.count)
        let usual = isLight ? Self.black : Self.white
        var candidates = random.chance(0.6) ? [usual] : []
        candidates += [second, accent, isLight ? Colour(0xB01822) : Colour(0xF4CC28), usual]
        if random.chance(0.5) { candidates.swapAt(0, candidates.count - 1) }
        let seen = candidates.first { ink in grounds.allSatisfy { ink.distance(to: $0) > contrast } }
        return (seen ?? usual).shaken(using: &random)
    }
}

extension Canvas.Colour {
    /// Varies a colour slightly: cloth fades, cameras differ.
    func shaken(using random: inout RandomStream) -> Self {
        var shade = mixed(with: .init(0x707070), random.uniform(0...0.12))
        shade = shade.mixed(with: .black, random.uniform(0...0.15))
        shade.red += random.uniform(-0.04...0.04)
        shade.green += random.uniform(-0.04...0.04)
        shade.blue += random.uniform(-0.04...0.04)
        return shade
    }

    /// Approximates perceived difference: luminance counts most.
    func distance(to other: Self) -> Double {
        abs(luminance - other.luminance) + 0.25 * (abs(red - other.red) + abs(blue - other.blue)) / 2
    }

    var levels: SIMD3<Float> { SIMD3(Float(red), Float(green), Float(blue)) * 255 }
}
