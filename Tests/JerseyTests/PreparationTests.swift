import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Preparation of frames")
struct PreparationTests {
    // MARK: fitting

    @Test(
        arguments: [
            (48, 96, 96, 192), (96, 192, 96, 192), (100, 100, 96, 96), (10, 100, 19, 192), (200, 100, 96, 48),
            (97, 193, 96, 191),
            (1, 1, 96, 96),
        ])
    func `Pictures keep their shape and fill one side`(
        _ width: Int, _ height: Int, _ toWidth: Int, _ toHeight: Int
    ) throws {
        let size = try #require(FramePreprocessor(height: 192, width: 96).fit(width: width, height: height))
        #expect(size == (toWidth, toHeight))
    }

    @Test
    func
        `No picture comes out larger than the frame, or smaller than a pixel, unless sizes are cut as the study's`()
    {
        for (frameHeight, frameWidth) in [(192, 96), (48, 48), (17, 33)] {
            let (rounding, cutting) = (
                FramePreprocessor(height: frameHeight, width: frameWidth),
                FramePreprocessor(height: frameHeight, width: frameWidth, truncates: true)
            )
            for (width, height) in [
                (1, 1), (1, 10_000), (10_000, 1), (96, 192), (95, 193), (3, 1000), (640, 480), (31, 17),
            ] {
                let (w, h) = rounding.fit(width: width, height: height)!
                #expect(1...frameWidth ~= w && 1...frameHeight ~= h && (w == frameWidth || h == frameHeight))
                if let cut = cutting.fit(width: width, height: height) {
                    #expect(
                        1...frameWidth ~= cut.width && 1...frameHeight ~= cut.height && w - cut.width <= 1
                            && h - cut.height <= 1)
                } else {
                    #expect(min(w, h) == 1)
                }
            }
        }
        #expect(
            FramePreprocessor(height: 192, width: 96, truncates: true).fit(width: 1, height: 10_000) == nil)
        #expect(
            FramePreprocessor(height: 192, width: 96, truncates: true).resized(
                picture(1, width: 1, height: 1000)) == nil)
    }

    @Test
    func `Resizing keeps even pictures even, averages when it shrinks, and gives every size asked for`() {
        let square = RGBImage(width: 2, height: 2, pixels: [10, 20, 30, 40].flatMap { [$0, $0, 0] })
        #expect(square.resized(width: 2, height: 2) == square)
        #expect(square.resized(width: 1, height: 1).pixels == [25, 25, 0])
        let even = RGBImage(width: 5, height: 3, pixels: [UInt8](repeating: 201, count: 45))
        for (width, height) in [(1, 1), (3, 7), (50, 1), (64, 64)] {
            let resized = even.resized(width: width, height: height)
            #expect((resized.width, resized.height) == (width, height) && Set(resized.pixels) == [201])
        }
    }

    @Test func `A picture lies in the middle of black, in its own frame of the buffer`() {
        let size = FramePreprocessor(height: 4, width: 6)
        let buffer = ByteBuffer(count: 2 * size.byteCount)
        size.paste(size.resized(RGBImage(width: 1, height: 1, pixels: [9, 8, 7]))!, into: buffer, at: 1)
        let frames = Tensor(sharing: buffer, shape: [2, 4, 6, 3]).array(of: UInt8.self)
        let black = [UInt8](repeating: 0, count: 3)
        let row = black + Array(repeating: [9, 8, 7] as [UInt8], count: 4).joined() + black
        #expect(
            frames.prefix(72).allSatisfy { $0 == 0 }
                && Array(frames.suffix(72)) == Array(repeating: row, count: 4).flatMap { $0 }
        )
    }

    @Test func `Normalisation is ImageNet's`() {
        let frames = Tensor([0, 128, 255, 255, 0, 10] as [UInt8], shape: [1, 1, 2, 3])
        let output = FramePreprocessor.normalized(frames, on: .cpu)
        let (mean, deviation) = ([0.485, 0.456, 0.406] as [Float], [0.229, 0.224, 0.225] as [Float])
        let expected = [(0, 0), (255, 0), (128, 1), (0, 1), (255, 2), (10, 2)].map {
            (Float($0) / 255 - mean[$1]) / deviation[$1]
        }
        #expect(output.shape == [1, 3, 1, 2] && isClose(output.floats, expected, within: 1e-5))
    }

    @Test(arguments: [0, 1, 5, 40])
    func `Frames are normalised in one pass as they are by operations, to the bit`(count: Int) {
        let bytes = (0..<count * 33 * 31 * 3).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
        let frames = Tensor(bytes, shape: [count, 33, 31, 3])
        let (one, many) = (
            FramePreprocessor.normalized(frames, on: .cpu), FramePreprocessor.normalizedByOperations(frames)
        )
        #expect(one.shape == many.shape && one.floats == many.floats)
    }

    // MARK: random streams

    @Test func `A stream depends on all its keys and their order, and is even`() {
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
        #expect(
            abs(mean) < 0.06 && abs(normal.reduce(0) { $0 + $1 * $1 } / 4000 - 1) < 0.1
                && normal.allSatisfy(\.isFinite))
    }
}
