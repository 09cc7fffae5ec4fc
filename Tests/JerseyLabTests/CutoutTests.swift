import Jersey
import JerseySynthesis
import TestSupport
import Testing

@Suite("Athletes without a background")
struct CutoutTests {
    private static let match = Cutout.match(seed: 3, index: 1, height: 64)

    @Test func `A match has every role's athletes, and the same seed renders the same`() {
        for role in Cutout.Role.allCases {
            #expect(Self.match.count { $0.role == role } == role.poses)
        }
        let again = Cutout.match(seed: 3, index: 1, height: 64)
        #expect(again.map(\.cutout.picture) == Self.match.map(\.cutout.picture))
        #expect(Cutout.match(seed: 4, index: 1, height: 64)[0].cutout.picture != again[0].cutout.picture)
    }

    @Test func `Boxes lie in the picture around what is opaque`() {
        for (_, cutout) in Self.match {
            let (picture, box) = (cutout.picture, cutout.box)
            #expect(picture.width == cutout.opacity.width && picture.height == cutout.opacity.height)
            #expect(box.left >= 0 && box.left + box.width <= Double(picture.width) + 0.5)
            #expect(box.top >= 0 && box.top + box.height <= Double(picture.height) + 0.5)
            let opaque = stride(from: 0, to: cutout.opacity.pixels.count, by: 3)
                .count { cutout.opacity.pixels[$0] > 127 }
            #expect(Double(opaque) > 0.15 * box.width * box.height)
        }
    }

    @Test func `The bundled detector finds rendered players on grass`() throws {
        let detector = try PlayerDetector.bundled()
        var grass = RGBImage(width: 340, height: 190)
        let players = Self.match.filter { [.home, .away].contains($0.role) }.prefix(8)
        var truth: [Detection] = []
        for (index, player) in players.enumerated() {
            let (left, top) = (10 + index % 4 * 80, 10 + index / 4 * 85)
            grass.paste(player.cutout, left: left, top: top)
            let box = player.cutout.box
            truth.append(
                Detection(
                    left: Double(left) + box.left, top: Double(top) + box.top, width: box.width,
                    height: box.height, score: 1))
        }
        let found = detector.detections(in: grass).filter { $0.score > 0.3 }
        let hits = truth.count { player in found.contains { $0.overlap(with: player) > 0.5 } }
        #expect(hits >= 7)
        #expect(found.count <= 9)
    }
}

extension RGBImage {
    fileprivate init(width: Int, height: Int) {
        let pixels = (0..<width * height).flatMap { index -> [UInt8] in
            let grain = UInt8(truncatingIfNeeded: (index &* 2_654_435_761) >> 28) & 15
            return [60 + grain, 105 + grain, 40 + grain]
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    fileprivate mutating func paste(_ cutout: Cutout, left: Int, top: Int) {
        let picture = cutout.picture
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                for channel in 0..<3 {
                    let source = (y * picture.width + x) * 3 + channel
                    let target = ((y + top) * width + x + left) * 3 + channel
                    let under = Int(pixels[target]) * (255 - Int(cutout.opacity.pixels[source])) / 255
                    pixels[target] = UInt8(min(255, under + Int(picture.pixels[source])))
                }
            }
        }
    }
}
