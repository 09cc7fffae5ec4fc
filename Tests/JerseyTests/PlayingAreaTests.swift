import Jersey
import Testing

@Suite("The playing area")
struct PlayingAreaTests {
    private static let grass: [UInt8] = [70, 120, 50]
    private static let ice: [UInt8] = [220, 226, 232]
    private static let court: [UInt8] = [200, 150, 95]

    /// A surface below a stand of other colours, 320 by 200.
    private func scene(_ surface: [UInt8], horizon: Int = 80) -> RGBImage {
        painted { x, y in
            if y < horizon { return [UInt8(truncatingIfNeeded: x * 37), UInt8(y), 120] }
            // Every other stripe is in the shadow.
            return x / 40 % 2 == 0 ? surface : surface.map { UInt8(Double($0) * 0.7) }
        }
    }

    private func painted(_ colour: (Int, Int) -> [UInt8]) -> RGBImage {
        RGBImage(
            width: 320, height: 200,
            pixels: (0..<200).flatMap { y in (0..<320).flatMap { x in colour(x, y) } })
    }

    private func person(feet x: Double, _ y: Double, height: Double = 40) -> Detection {
        Detection(left: x - height / 5, top: y - height, width: height * 0.4, height: height, score: 0.9)
    }

    @Test(arguments: [grass, ice, court])
    func `Who stands on the surface counts, and who stands elsewhere does not`(surface: [UInt8]) {
        let picture = scene(surface)
        let (player, high, spectator) = (person(feet: 150, 180), person(feet: 100, 95), person(feet: 90, 60))
        let all = [player, spectator, high]
        #expect(PlayingArea.Rule.players.kept(all, in: picture) == [player, high])
        #expect(PlayingArea.Rule.everybody.kept(all, in: picture) == all)
    }

    @Test func `Players whose feet are below the picture's edge count`() {
        #expect(PlayingArea(of: scene(Self.grass)).holds(person(feet: 150, 230, height: 80)))
    }

    @Test func `In a picture without a surface everybody counts`() {
        let picture = painted { x, y in
            [
                UInt8(truncatingIfNeeded: x * 3), UInt8(truncatingIfNeeded: y * 5),
                UInt8(truncatingIfNeeded: x * y),
            ]
        }
        #expect(PlayingArea(of: picture).holds(person(feet: 90, 60)))
    }

    @Test(arguments: [(1, 1), (1, 4000), (4000, 1), (7, 9)])
    func `Tiny and thin pictures have an answer for any box`(width: Int, height: Int) {
        let picture = RGBImage(
            width: width, height: height, pixels: .init(repeating: 0, count: width * height * 3))
        let area = PlayingArea(of: picture)
        for place in [-1e12, 0, 3, 1e12] { #expect(area.holds(person(feet: place, place))) }
    }
}
