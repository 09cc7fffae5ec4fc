import Foundation
import Testing
import Torch

@testable import Jersey

@Suite("Preparation of frames")
struct PreparationTests {
    // MARK: fitting

    @Test(
        "pictures keep their shape and fill one side",
        arguments: [
            (48, 96, 96, 192), (96, 192, 96, 192), (100, 100, 96, 96), (10, 100, 19, 192), (200, 100, 96, 48), (97, 193, 96, 191),
            (1, 1, 96, 96),
        ])
    func fit(_ width: Int, _ height: Int, _ toWidth: Int, _ toHeight: Int) throws {
        let size = try #require(FramePreprocessor(height: 192, width: 96).fit(width: width, height: height))
        #expect(size == (toWidth, toHeight))
    }

    @Test("no picture comes out larger than the frame, or smaller than a pixel, unless sizes are cut as the study's")
    func bounds() {
        for (frameHeight, frameWidth) in [(192, 96), (48, 48), (17, 33)] {
            let (rounding, cutting) = (
                FramePreprocessor(height: frameHeight, width: frameWidth),
                FramePreprocessor(height: frameHeight, width: frameWidth, truncates: true)
            )
            for (width, height) in [(1, 1), (1, 10_000), (10_000, 1), (96, 192), (95, 193), (3, 1000), (640, 480), (31, 17)] {
                let (w, h) = rounding.fit(width: width, height: height)!
                #expect(1...frameWidth ~= w && 1...frameHeight ~= h && (w == frameWidth || h == frameHeight))
                if let cut = cutting.fit(width: width, height: height) {
                    #expect(
                        1...frameWidth ~= cut.width && 1...frameHeight ~= cut.height && w - cut.width <= 1 && h - cut.height <= 1)
                } else {
                    #expect(min(w, h) == 1)
                }
            }
        }
        #expect(FramePreprocessor(height: 192, width: 96, truncates: true).fit(width: 1, height: 10_000) == nil)
        #expect(FramePreprocessor(height: 192, width: 96, truncates: true).resized(picture(1, width: 1, height: 1000)) == nil)
    }

    @Test("resizing keeps even pictures even, averages when it shrinks, and gives every size asked for")
    func resizing() {
        let square = RGBImage(width: 2, height: 2, pixels: [10, 20, 30, 40].flatMap { [$0, $0, 0] })
        #expect(square.resized(width: 2, height: 2) == square)
        #expect(square.resized(width: 1, height: 1).pixels == [25, 25, 0])
        let even = RGBImage(width: 5, height: 3, pixels: [UInt8](repeating: 201, count: 45))
        for (width, height) in [(1, 1), (3, 7), (50, 1), (64, 64)] {
            let resized = even.resized(width: width, height: height)
            #expect((resized.width, resized.height) == (width, height) && Set(resized.pixels) == [201])
        }
    }

    @Test("a picture lies in the middle of black, in its own frame of the buffer")
    func paste() {
        let size = FramePreprocessor(height: 4, width: 6)
        let buffer = ByteBuffer(count: 2 * size.byteCount)
        size.paste(size.resized(RGBImage(width: 1, height: 1, pixels: [9, 8, 7]))!, into: buffer, at: 1)
        let frames = Tensor(sharing: buffer, shape: [2, 4, 6, 3]).array(of: UInt8.self)
        let black = [UInt8](repeating: 0, count: 3)
        let row = black + Array(repeating: [9, 8, 7] as [UInt8], count: 4).joined() + black
        #expect(
            frames.prefix(72).allSatisfy { $0 == 0 } && Array(frames.suffix(72)) == Array(repeating: row, count: 4).flatMap { $0 }
        )
    }

    @Test("normalisation is ImageNet's")
    func normalisation() {
        let frames = Tensor([0, 128, 255, 255, 0, 10] as [UInt8], shape: [1, 1, 2, 3])
        let output = FramePreprocessor.normalized(frames, on: .cpu)
        let (mean, deviation) = ([0.485, 0.456, 0.406] as [Float], [0.229, 0.224, 0.225] as [Float])
        let expected = [(0, 0), (255, 0), (128, 1), (0, 1), (255, 2), (10, 2)].map {
            (Float($0) / 255 - mean[$1]) / deviation[$1]
        }
        #expect(output.shape == [1, 3, 1, 2] && isClose(output.floats, expected, within: 1e-5))
    }

    @Test("frames are normalised in one pass as they are by operations, to the bit", arguments: [0, 1, 5, 40])
    func normalisationInOnePass(count: Int) {
        let bytes = (0..<count * 33 * 31 * 3).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
        let frames = Tensor(bytes, shape: [count, 33, 31, 3])
        let (one, many) = (FramePreprocessor.normalized(frames, on: .cpu), FramePreprocessor.normalizedByOperations(frames))
        #expect(one.shape == many.shape && one.floats == many.floats)
    }

    // MARK: augmentation

    private func draws(_ count: Int, seed: UInt64 = 1, _ change: (inout AugmentationConfig) -> Void = { _ in }) -> [Augmentation
        .Draw]
    {
        var config = AugmentationConfig()
        change(&config)
        var random = RandomStream(seed)
        return (0..<count).map { _ in Augmentation(config).draw(from: &random) }
    }

    @Test("draws stay in their ranges, fill them, and come as often as they should")
    func draws() {
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
        #expect(spans(0.8...1.2) { $0.brightness } && spans(0.8...1.2) { $0.contrast } && spans(0.8...1.2) { $0.saturation })
        #expect(
            spans(-5...5) { $0.angle } && spans(0.9...1.1) { $0.zoom } && spans(-0.05...0.05) { $0.shift.x }
                && spans(-0.05...0.05) { $0.shift.y })
        let (blurs, noises) = (draws.compactMap(\.blur), draws.compactMap { $0.noise?.deviation })
        #expect(Set(blurs) == [1, 1.5, 2] && abs(Double(blurs.count) / 2000 - 0.3) < 0.05)
        #expect(noises.allSatisfy { 0.01...0.03 ~= $0 } && abs(Double(noises.count) / 2000 - 0.2) < 0.05)
    }

    @Test("a draw takes the same numbers from the stream whatever it comes to")
    func steadyStream() {
        let plain = draws(50)
        let others = draws(50) {
            $0.blurProbability = 1
            $0.noiseProbability = 0
        }
        #expect(plain.map(\.angle) == others.map(\.angle) && plain == draws(50) && plain != draws(50, seed: 2))
    }

    @Test("a move is drawn last, as often as asked, and all else of a first frame is drawn as without")
    func movingDraws() {
        let drawn = (0..<400).map { seed in
            draws(1, seed: UInt64(seed)) {
                ($0.motionBlurProbability, $0.motionBlur) = (0.5, [3, 9])
            }[0]
        }
        let motions = drawn.compactMap(\.motion)
        #expect(abs(motions.count - 200) < 40)
        #expect(
            motions.allSatisfy { 3...9 ~= $0.length && 0...180 ~= $0.angle } && Set(motions.map(\.angle)).count == motions.count)
        for (seed, var draw) in drawn.enumerated() {
            draw.motion = nil
            #expect(draw == draws(1, seed: UInt64(seed))[0])
        }
        #expect(draws(50) { $0.motionBlur = [5, 7] } == draws(50))
    }

    @Test("a move spreads a point along its way and no other, and nothing is lost", arguments: [0.0, 45, 90, 135, 180])
    func moving(_ angle: Double) {
        let (side, centre) = (21, 10)
        var levels = [UInt8](repeating: 0, count: 3 * side * side)
        for channel in 0..<3 { levels[channel * side * side + centre * side + centre] = 240 }
        let point = Tensor(levels, shape: [1, 3, side, side]).to(dtype: .float32)
        let spread = MotionBlur(length: 8, angle: angle)(point).floats
        #expect(abs(spread.reduce(0, +) - 3 * 240) < 0.01)
        // How far what is there lies from the line through the point, and how far along it.
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

    @Test("a move leaves a plain picture as it is, up to its edges, and none is no move")
    func movingEdges() {
        let plain = Tensor([UInt8](repeating: 77, count: 3 * 9 * 7), shape: [1, 3, 9, 7])
        var draw = Augmentation.Draw()
        for (length, angle) in [(1.0, 10.0), (6, 70), (40, 120)] {
            draw.motion = (length, angle)
            #expect(Set(Augmentation.apply(draw, to: plain).floats) == [77])
        }
        let picture = Tensor((0..<3 * 9 * 7).map { UInt8($0 % 251) }, shape: [1, 3, 9, 7])
        draw.motion = (0, 30)
        #expect(Augmentation.apply(draw, to: picture).floats == Augmentation.apply(.init(), to: picture).floats)
    }

    @Test("a sequence is mirrored as a whole, as often as asked, and all else is drawn as without", arguments: [false, true])
    func mirror(_ shared: Bool) {
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

    @Test("the neutral draw changes nothing; any draw gives whole levels of the same shape")
    func apply() {
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
            #expect(result.shape == image.shape && result.floats.allSatisfy { 0...255 ~= $0 && $0 == $0.rounded() })
            #expect(Augmentation.apply(draw, to: image).floats == result.floats)
        }
        #expect(image.array(of: UInt8.self) == tensor(picture(3, width: 9, height: 14)).array(of: UInt8.self))
    }

    @Test("each operation does what its name says")
    func operations() {
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

    @Test("a blur keeps an even picture, spreads a point evenly, and spreads it further with a larger radius")
    func blur() {
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
        #expect(wide == Array(wide.reversed()) && narrow[60] > wide[60] && wide[60] == wide.max() && wide[60 + 3] > 0)
    }

    @Test("frames of a sequence are drawn alike only where that is asked for", arguments: [true, false])
    func perSequence(_ shared: Bool) throws {
        try withFolder { folder throws in
            for index in 0..<2 { try folder.add("\(index).png", picture(1).pngData()) }
            var config = AugmentationConfig()
            config.perSequence = shared
            var loader = SequenceLoader(preprocessor: FramePreprocessor(height: 10, width: 6), maximumFrames: 4, sampling: .even)
            loader.augmentation = Augmentation(config)
            let sequence = FrameSequence(
                id: "s", track: "t", number: nil, frames: [0, 1].map { folder.path + "/\($0).png" }, anchor: nil)
            let loaded = try loader.load(sequence, random: RandomStream(1, 2, 3))
            let frames = Tensor(sharing: loaded.frames, shape: [2, 180]).array(of: UInt8.self)
            #expect((frames.prefix(180).elementsEqual(frames.suffix(180))) == shared)
            let other = try loader.load(sequence, random: RandomStream(1, 2, 4))
            #expect(Tensor(sharing: other.frames, shape: [2, 180]).array(of: UInt8.self) != frames)
        }
    }

    // MARK: random streams

    @Test("a stream depends on all its keys and their order, and is even")
    func streams() {
        func first(_ keys: UInt64...) -> UInt64 {
            var stream = RandomStream(keys[0], keys[1], keys[2])
            return stream.next()
        }
        let all = (0..<8 as Range<UInt64>).flatMap { a in
            (0..<8 as Range<UInt64>).flatMap { b in (0..<8 as Range<UInt64>).map { first(a, b, $0) } }
        }
        #expect(Set(all).count == 512)
        var stream = RandomStream(1)
        let uniform = (0..<4000).map { _ in stream.uniform() }
        #expect(uniform.allSatisfy { 0..<1 ~= $0 } && abs(uniform.reduce(0, +) / 4000 - 0.5) < 0.02)
        let normal = (0..<4000).map { _ in stream.normal() }
        let mean = normal.reduce(0, +) / 4000
        #expect(abs(mean) < 0.06 && abs(normal.reduce(0) { $0 + $1 * $1 } / 4000 - 1) < 0.1 && normal.allSatisfy(\.isFinite))
    }
}
