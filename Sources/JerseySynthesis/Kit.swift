import Foundation
import Jersey
import JerseyOutput

/// A shirt with everything on it, and the rest of the outfit. Lengths are in metres.
struct Kit: Sendable {
    typealias Colour = Canvas.Colour
    typealias Point = Canvas.Point

    enum Pattern: CaseIterable {
        case stripes, pinstripes, hoops, band, halves, sash, shoulders, sides, fade, checks
        case hem, chevron, camouflage, brush

        /// Whether it lies under the number.
        var isUnderNumber: Bool { ![.pinstripes, .shoulders, .sides, .hem].contains(self) }
    }

    /// A print: text or a number. `place` is the middle of its top edge, from the middle of the back
    /// or of the chest, and from the collar.
    struct Print {
        var outline: Canvas.Outline
        var place: Point
        var isOnChest = false

        /// The outline's corners: left and top, right and bottom.
        var bounds: (Point, Point) {
            let points = outline.joined()
            guard let first = points.first else { return (place, place) }
            return points.reduce((first + place, first + place)) {
                (pointwiseMin($0.0, $1 + place), pointwiseMax($0.1, $1 + place))
            }
        }
    }

    /// Text beside the number, perhaps in a coloured box.
    struct Lettering {
        var print: Print
        var colour: Colour
        var box: Colour?
    }

    /// A crest or a maker's mark.
    struct Badge {
        var place: Point
        var radii: Point
        var colour, inner: Colour
        var isOnChest: Bool
    }

    let palette: Palette
    let sleeves, cuffs, collar, shorts, shortsBand, socks, sockBand, shoes: Colour
    let gloves: Colour?
    /// Nil for a plain shirt.
    let pattern: Pattern?
    let trim: Colour
    /// Where the pattern starts, different in every kit.
    let patternPhase: Double
    /// How far the sleeve reaches along the arm: 0 is sleeveless, 1 the elbow, 2 the wrist.
    let sleeveLength: Double
    let isDress: Bool
    /// Whether the number is on the shorts and on the sleeves, too.
    let hasShortsNumber, hasSleeveNumber: Bool
    /// Shine, from 0 to 1, and the strength of printed-on shading from wrinkles.
    let gloss, wrinkles: Double

    let style: NumberStyle
    /// Nil on shirts without a number.
    private(set) var back, chest: Print?
    /// Letters at the number's place, on shirts without a number.
    private(set) var bib: [Print] = []
    let letterings: [Lettering]
    let badges: [Badge]

    /// Heights, places and room of the two numbers.
    private let places: [(height: Double, place: Point, room: Double, isOnChest: Bool)]

    var shirt: Colour { palette.main }

    init(number: String?, sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
        let isSimple = difficulty.clutter == 0
        // Among those without a number are referees in stripes and people in plain shirts.
        let isReferee = number == nil && random.chance(0.1 * difficulty.clutter)
        let isPlain = number == nil && !isReferee && random.chance(0.25 * difficulty.clutter)
        let palette = isReferee ? Palette.referee : Palette(using: &random)
        self.palette = palette
        let usual: [Pattern] = sport.helmets ? [.hem, .shoulders, .sides] : Pattern.allCases
        let isPatterned = random.chance(isPlain ? 0.1 : difficulty.patterned)
        let pattern =
            isReferee
            ? Pattern.stripes
            : isPatterned
                ? (random.chance(0.5) ? usual : Pattern.allCases).randomElement(using: &random) : nil
        self.pattern = pattern
        // What lies under the number must not look like it. Tone-on-tone patterns interfere least.
        let isSoft = pattern?.isUnderNumber == true && !isReferee && random.chance(0.6)
        trim =
            isSoft
            ? palette.main.mixed(with: palette.second, random.uniform(0.08...0.4))
            : (random.chance(0.75) ? palette.second : palette.accent)
        patternPhase = random.uniform()
        style = NumberStyle(
            palette: palette,
            grounds: pattern?.isUnderNumber == true ? [palette.main, trim] : [palette.main],
            patches: sport.patches, difficulty: difficulty, using: &random)

        func one(of colours: [(Colour, Double)]) -> Colour {
            var rest = random.uniform()
            return colours.first {
                rest -= $0.1
                return rest < 0
            }?.0 ?? palette.main
        }
        let (main, second, accent) = (palette.main, palette.second, palette.accent)
        sleeves = one(of: [(main, 0.68), (second, 0.22), (accent, 0.1)])
        cuffs = random.chance(0.55) ? sleeves : one(of: [(second, 0.6), (accent, 0.4)])
        collar = one(of: [(main, 0.5), (second, 0.35), (accent, 0.15)])
        shorts = one(of: [(main, 0.45), (second, 0.3), (Palette.black, 0.12), (Palette.white, 0.13)])
        socks = one(of: [(main, 0.45), (second, 0.3), (Palette.black, 0.1), (Palette.white, 0.15)])
        shortsBand = random.chance(0.6) ? shorts : second
        sockBand = random.chance(0.6) ? socks : (random.chance(0.5) ? second : main)
        gloves =
            sport.stick ? (random.chance(0.6) ? Palette.black : second) : random.chance(0.05) ? second : nil
        shoes = random.chance(0.5) ? Palette.black : Palette.colour(using: &random)
        let isLong = random.chance(sport.longSleeves)
        sleeveLength = random.uniform(isLong ? 1.7...2 : sport.sleeves)
        isDress = random.chance(sport.dresses)
        // It is painted on the shirt's colour.
        hasShortsNumber = shorts == main && random.chance(2 * sport.shortsNumbers * difficulty.clutter)
        hasSleeveNumber = sleeves == main && random.chance(sport.sleeveNumbers * difficulty.clutter)
        gloss = isSimple ? 0 : (random.chance(0.4) ? random.uniform(0.1...0.6) : random.uniform(0...0.1))
        wrinkles = random.uniform(difficulty.folds) * 0.16

        // The number hangs below the name or the sponsor.
        let nameHeight = random.chance(0.62) ? random.uniform(0.03...(random.chance(0.2) ? 0.1 : 0.06)) : 0
        let backHeight = random.uniform(sport.backNumber)
        let top = max(random.uniform(0.09...0.17), 0.06 + nameHeight + random.uniform(0.012...0.04))
        let chestHeight = random.uniform(sport.chestNumber)
        let isBeside = random.chance(sport.besides)
        let chestPlace = Point(
            isBeside ? random.uniform(0.05...0.09) * (random.chance(0.5) ? 1 : -1) : 0,
            random.uniform(isBeside ? 0.13...0.24 : 0.16...0.3))
        let aside = random.chance(difficulty.clutter * 0.08) ? random.normal() * 0.03 : 0
        var places = [(height: backHeight, place: Point(aside, top), room: 0.4, isOnChest: false)]
        if random.chance(sport.chestNumbers) {
            places.append((chestHeight, chestPlace, isBeside ? 0.16 : 0.3, true))
        }
        self.places = places

        var texts = Texts(style: style, palette: palette)
        if nameHeight > 0 {
            texts.add(
                letters: 3...11, height: nameHeight, width: 0.36, bottom: top - random.uniform(0.01...0.03),
                using: &random)
        }
        if random.chance(0.45) {
            texts.add(
                letters: 4...11, height: random.uniform(0.025...(random.chance(0.25) ? 0.14 : 0.07)),
                width: 0.36, top: top + backHeight + random.uniform(0.015...0.05), using: &random)
        }
        let hasChestNumber = places.count > 1
        if random.chance(hasChestNumber ? 0.5 : 0.8) {
            let height = random.uniform(0.03...0.1)
            texts.add(
                letters: 3...9, height: height, width: 0.32,
                top: hasChestNumber && !isBeside
                    ? (random.chance(0.6) ? chestPlace.y - height - 0.02 : chestPlace.y + chestHeight + 0.02)
                    : random.uniform(0.22...0.32), isOnChest: true, using: &random)
        }
        if random.chance(0.2) {
            texts.add(
                letters: 3...8, height: 0.05, width: 0.25, top: 0.44, isOnChest: true, using: &random)
        }
        letterings =
            isPlain
            ? [] : isSimple ? texts.lines.map { Lettering(print: $0.print, colour: $0.colour) } : texts.lines
        badges =
            isSimple
            ? []
            : (0..<3).filter { _ in random.chance(0.45) }.map { _ in
                let isRound = random.chance(0.6)
                let size = random.uniform(0.012...0.035)
                return Badge(
                    place: Point(
                        random.uniform(0.05...0.1) * (random.chance(0.5) ? 1 : -1),
                        random.uniform(0.09...0.17)),
                    radii: isRound ? Point(size, size * 1.15) : Point(size * 1.6, size * 0.5),
                    colour: random.chance(0.5) ? second : accent, inner: random.chance(0.5) ? main : accent,
                    isOnChest: random.chance(0.8))
            }
        wear(number, using: &random)
        if number == nil && !isReferee && !isPlain
            && random.chance(isSimple ? 0.1 : (sport.dresses > 0 ? 0.8 : 0.3))
        {
            let letters = ["C", "GA", "GD", "GK", "GS", "WA", "WD", "K", "A", "R", "S", "X"]
            let text = letters.randomElement(using: &random) ?? "C"
            bib = places.map { print(text, in: $0) }
        }
    }

    var hasChestNumber: Bool { chest != nil }

    /// The area of the number, or where it would be: its left upper corner from the middle of the
    /// back or the chest and from the collar, and its size.
    func area(onChest: Bool) -> (origin: Point, size: Point) {
        if let print = onChest ? chest : back {
            let (low, high) = print.bounds
            return (low, high - low)
        }
        let place = places.first { $0.isOnChest == onChest } ?? places[0]
        let size = Point(place.height, place.height)
        return (place.place - Point(size.x / 2, 0), size)
    }

    /// The same kit on another player.
    func worn(with number: String?, using random: inout RandomStream) -> Kit {
        var kit = self
        kit.wear(number, using: &random)
        return kit
    }

    private mutating func wear(_ number: String?, using random: inout RandomStream) {
        (back, chest, bib) = (nil, nil, [])
        guard let number else { return }
        for place in places {
            if place.isOnChest {
                chest = print(number, in: place)
            } else {
                back = print(number, in: place)
            }
        }
    }

    private func print(
        _ text: String, in place: (height: Double, place: Point, room: Double, isOnChest: Bool)
    ) -> Print {
        let outline = style.outline(of: text)
        let width = max(0.1, outline.joined().reduce(0) { max($0, abs($1.x)) } * 2)
        // Two wide digits must still fit between the shoulder blades.
        let stretch = min(style.stretch, place.room / (place.height * width))
        return Print(
            outline: outline.map { $0.map { $0 * Point(place.height * stretch, place.height) } },
            place: place.place, isOnChest: place.isOnChest)
    }
}

/// Collects lines of text for a shirt.
private struct Texts {
    let style: NumberStyle
    let palette: Palette
    var lines: [Kit.Lettering] = []

    init(style: NumberStyle, palette: Palette) {
        self.style = style
        self.palette = palette
    }

    /// A line whose top or bottom edge lies at a distance from the collar, in metres.
    mutating func add(
        letters: ClosedRange<Int>, height: Double, width: Double, top: Double? = nil, bottom: Double = 0,
        isOnChest: Bool = false, using random: inout RandomStream
    ) {
        let text = (0..<Int.random(in: letters, using: &random)).map { _ in
            (random.chance(0.04) ? "0123456789" : "AAABCDEEEFGHIIJKLMNNOOPRRSSTTUVWXYZ")
                .randomElement(using: &random) ?? "A"
        }
        let typeface =
            (NumberFace.ordinary + NumberFace.special).randomElement(using: &random) ?? .init(family: "sans")
        let outline = Canvas.outline(of: String(text), typeface)
        let reach = outline.joined().reduce(0.1) { max($0, abs($1.x)) } * 2
        // Few letters stand apart, many are narrow.
        let stretch = min(random.uniform(0.8...1.6), width / (height * reach))
        let shrunk = stretch < 0.45 ? stretch / 0.45 : 1
        let size = Canvas.Point(height * stretch, height * shrunk)
        let bend = random.chance(0.3) ? random.uniform(0.5...2) : 0
        let bent = outline.map {
            $0.map { point in
                let place = point * size
                return Canvas.Point(place.x, place.y + bend * place.x * place.x)
            }
        }
        let box = random.chance(0.16)
        let ground =
            box ? (random.chance(0.5) ? palette.second : Palette.colour(using: &random)) : palette.main
        let ink =
            !box && random.chance(0.6)
            ? style.colour : palette.ink(on: [ground], contrast: 0.25, using: &random)
        let place = Canvas.Point(0, max(0.05, top ?? (bottom - size.y)))
        lines.append(
            Kit.Lettering(
                print: .init(outline: bent, place: place, isOnChest: isOnChest), colour: ink,
                box: box ? ground : nil))
    }
}
