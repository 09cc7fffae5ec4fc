import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey
@testable import JerseyLab

@Suite struct AugmentationTests {
    private func draws(
        _ count: Int, seed: UInt64 = 1, _ change: (inout AugmentationConfig) -> Void = { _ in }
    ) -> [Augmentation
        .Draw]
    {
        var config = AugmentationConfig()
        change(&config)
        var random = RandomStream(seed)
        return (0..<count).map { _ in Augmentation(config).draw(from: &random) }
    }

    @Test func `Draws stay in their ranges, fill them, and come as often as they should`() {
        let draws = draws(2000) {
            $0.zoom = 0.1
            $0.shift = 0.05
        }
        func spans(_ range: ClosedRange<Double>, _ value: (Augmentation.Draw) -> Double) -> Bool {
            let values = draws.map(value)
            let slack = (range.upperBound - range.lowerBound) * 0.02
            return values.allSatisfy(range.contains) && values.min()! < range.lowerBound + slack
                && values.max()! > range.upperBound - slack
        }
        #expect(
            spans(0.8...1.2) { $0.brightness } && spans(0.8...1.2) { $0.contrast }
                && spans(0.8...1.2) { $0.saturation })
        #expect(
            spans(-5...5) { $0.angle } && spans(0.9...1.1) { $0.zoom } && spans(-0.05...0.05) { $0.shift.x }
                && spans(-0.05...0.05) { $0.shift.y })
        let (blurs, noises) = (draws.compactMap(\.blur), draws.compactMap { $0.noise?.deviation })
        #expect(Set(blurs) == [1, 1.5, 2] && abs(Double(blurs.count) / 2000 - 0.3) < 0.05)
        #expect(noises.allSatisfy { 0.01...0.03 ~= $0 } && abs(Double(noises.count) / 2000 - 0.2) < 0.05)
    }

    @Test func `A draw takes the same numbers from the stream whatever it comes to`() {
        let plain = draws(50)
        let others = draws(50) {
            $0.blurProbability = 1
            $0.noiseProbability = 0
        }
        #expect(
            plain.map(\.angle) == others.map(\.angle) && plain == draws(50) && plain != draws(50, seed: 2))
    }

    @Test
    func `A move is drawn last, as often as asked, and all else of a first frame is drawn as without`() {
        let drawn = (0..<400).map { seed in
            draws(1, seed: UInt64(seed)) {
                ($0.motionBlurProbability, $0.motionBlur) = (0.5, [3, 9])
            }[0]
        }
        let motions = drawn.compactMap(\.motion)
        #expect(abs(motions.count - 200) < 40)
        #expect(
            motions.allSatisfy { 3...9 ~= $0.length && 0...180 ~= $0.angle }
                && Set(motions.map(\.angle)).count == motions.count)
        for (seed, var draw) in drawn.enumerated() {
            draw.motion = nil
            #expect(draw == draws(1, seed: UInt64(seed))[0])
        }
        #expect(draws(50) { $0.motionBlur = [5, 7] } == draws(50))
    }

    @Test(arguments: [0.0, 45, 90, 135, 180])
    func `A move spreads a point along its way and no other, and nothing is lost`(_ angle: Double) {
        let (side, centre) = (21, 10)
        var levels = [UInt8](repeating: 0, count: 3 * side * side)
        for channel in 0..<3 { levels[channel * side * side + centre * side + centre] = 240 }
        let point = Tensor(levels, shape: [1, 3, side, side]).to(dtype: .float32)
        let spread = MotionBlur(length: 8, angle: angle)(point).floats
        #expect(abs(spread.reduce(0, +) - 3 * 240) < 0.01)
        // The distance of each spread pixel from the line through the point, and along it.
        let (dx, dy) = (cos(angle * .pi / 180), -sin(angle * .pi / 180))
        var farthest = 0.0
        for (index, level) in spread.prefix(side * side).enumerated() where level > 0.001 {
            let (x, y) = (Double(index % side - centre), Double(index / side - centre))
            #expect(abs(x * dy - y * dx) < 1.01)
            farthest = max(farthest, abs(x * dx + y * dy))
        }
        #expect(3.5...5.01 ~= farthest)
        #expect(Array(spread.prefix(side * side)) == Array(spread.suffix(side * side)))
    }

    @Test func `A move leaves a plain picture as it is, up to its edges, and none is no move`() {
        let plain = Tensor([UInt8](repeating: 77, count: 3 * 9 * 7), shape: [1, 3, 9, 7])
        var draw = Augmentation.Draw()
        for (length, angle) in [(1.0, 10.0), (6, 70), (40, 120)] {
            draw.motion = (length, angle)
            #expect(Set(Augmentation.apply(draw, to: plain).floats) == [77])
        }
        let picture = Tensor((0..<3 * 9 * 7).map { UInt8($0 % 251) }, shape: [1, 3, 9, 7])
        draw.motion = (0, 30)
        #expect(
            Augmentation.apply(draw, to: picture).floats == Augmentation.apply(.init(), to: picture).floats)
    }

    @Test(arguments: [false, true])
    func `A sequence is mirrored as a whole, as often as asked, and all else is drawn as without`(
        _ shared: Bool
    ) {
        func sequences(_ probability: Double) -> [[Augmentation.Draw]] {
            var config = AugmentationConfig()
            (config.flipProbability, config.perSequence) = (probability, shared)
            return (0..<400).map {
                var random = RandomStream(UInt64($0))
                return Augmentation(config).draws(3, from: &random)
            }
        }
        let drawn = sequences(0.25)
        #expect(drawn.allSatisfy { Set($0.map(\.isMirrored)).count == 1 })
        #expect(abs(drawn.count { $0[0].isMirrored } - 100) < 30)
        let plain = drawn.map {
            $0.map { frame in
                var frame = frame
                frame.isMirrored = false
                return frame
            }
        }
        #expect(plain == sequences(0))
        var random = RandomStream(0)
        #expect(plain[0][0] == Augmentation(AugmentationConfig()).draw(from: &random))
    }

    private func tensor(_ image: RGBImage) -> Tensor {
        Tensor(image.pixels, shape: [1, image.height, image.width, 3]).permuted(0, 3, 1, 2)
    }

    @Test func `The neutral draw changes nothing; any draw gives whole levels of the same shape`() {
        let image = tensor(picture(3, width: 9, height: 14))
        #expect(Augmentation.apply(.init(), to: image).floats == image.floats)
        for draw in draws(
            40,
            {
                $0.zoom = 0.2
                $0.shift = 0.1
                $0.blurProbability = 0.5
                $0.noiseProbability = 0.5
            })
        {
            let result = Augmentation.apply(draw, to: image)
            #expect(
                result.shape == image.shape
                    && result.floats.allSatisfy { 0...255 ~= $0 && $0 == $0.rounded() })
            #expect(Augmentation.apply(draw, to: image).floats == result.floats)
        }
        #expect(image.array(of: UInt8.self) == tensor(picture(3, width: 9, height: 14)).array(of: UInt8.self))
    }

    @Test func `Each operation does what its name says`() {
        let image = tensor(RGBImage(width: 2, height: 1, pixels: [100, 50, 200, 0, 255, 30]))
        func apply(_ change: (inout Augmentation.Draw) -> Void) -> [Float] {
            var draw = Augmentation.Draw()
            change(&draw)
            return Augmentation.apply(draw, to: image).floats
        }
        #expect(apply { $0.brightness = 1.5 } == [150, 0, 75, 255, 255, 45])
        #expect(apply { $0.brightness = 0 } == [0, 0, 0, 0, 0, 0])
        #expect(Set(apply { $0.contrast = 0 }).count == 1)
        // (19595 R + 38470 G + 7471 B + 32768) / 65536
        #expect(apply { $0.saturation = 0 } == [82, 153, 82, 153, 82, 153])
        #expect(apply { $0.angle = 180 } == [0, 100, 255, 50, 30, 200])
        #expect(apply { $0.shift.x = 0.5 } == [0, 100, 0, 50, 0, 200])
        #expect(apply { $0.isMirrored = true } == [0, 100, 255, 50, 30, 200])
        #expect(
            Set(apply { $0.noise = (0.1, 1) }) != Set(image.floats)
                && apply { $0.noise = (0.1, 1) } == apply { $0.noise = (0.1, 1) })
    }

    @Test
    func `A blur keeps an even picture, spreads a point evenly, and spreads it further with a larger radius`()
    {
        var draw = Augmentation.Draw()
        draw.blur = 2
        let even = tensor(RGBImage(width: 7, height: 5, pixels: [UInt8](repeating: 77, count: 105)))
        #expect(Set(Augmentation.apply(draw, to: even).floats) == [77])
        var pixels = [UInt8](repeating: 0, count: 11 * 11 * 3)
        for channel in 0..<3 { pixels[(5 * 11 + 5) * 3 + channel] = 255 }
        let point = tensor(RGBImage(width: 11, height: 11, pixels: pixels))
        let wide = Augmentation.apply(draw, to: point).floats
        draw.blur = 1
        let narrow = Augmentation.apply(draw, to: point).floats
        #expect(
            wide == Array(wide.reversed()) && narrow[60] > wide[60] && wide[60] == wide.max()
                && wide[60 + 3] > 0)
    }

    @Test(arguments: [true, false])
    func `Frames of a sequence are drawn alike only where that is asked for`(_ shared: Bool) throws {
        try withFolder { folder throws in
            for index in 0..<2 { try folder.add("\(index).png", picture(1).pngData()) }
            var config = AugmentationConfig()
            config.perSequence = shared
            var loader = SequenceLoader(
                preprocessor: FramePreprocessor(height: 10, width: 6), maximumFrames: 4, sampling: .even)
            loader.augment = Augmentation(config).changes
            let sequence = FrameSequence(
                id: "s", track: "t", number: nil, frames: [0, 1].map { folder.path + "/\($0).png" },
                anchor: nil)
            let loaded = try loader.load(sequence, random: RandomStream(1, 2, 3))
            let frames = Tensor(sharing: loaded.frames, shape: [2, 180]).array(of: UInt8.self)
            #expect((frames.prefix(180).elementsEqual(frames.suffix(180))) == shared)
            let other = try loader.load(sequence, random: RandomStream(1, 2, 4))
            #expect(Tensor(sharing: other.frames, shape: [2, 180]).array(of: UInt8.self) != frames)
        }
    }
}
