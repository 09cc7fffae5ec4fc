import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("The detector of players")
struct PlayerDetectorTests {
    private static let detector = Result { try PlayerDetector.bundled() }

    private func filled(_ level: UInt8, width: Int, height: Int) -> RGBImage {
        RGBImage(width: width, height: height, pixels: .init(repeating: level, count: width * height * 3))
    }

    /// Colours that do not repeat.
    private func noise(width: Int, height: Int) -> RGBImage {
        let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    private func input(_ picture: RGBImage) -> Tensor {
        Tensor(picture.pixels, shape: [1, picture.height, picture.width, 3])
            .scaledFrames([Float](repeating: 2 / 255, count: 3), [-1, -1, -1])
    }

    @Test func `The network computes what PyTorch computes`() throws {
        let network = try DetectorNetwork.bundled()
        let output = withoutGradients { network(input(noise(width: 96, height: 64))) }
        #expect(output.shape == [1, 5, 8, 12])
        // Printed by Tools/detector/check.py.
        let expected: [Float] = [
            -5.00264, -4.95226, -5.65821, 3.85234, 4.94004, 2.98782, 4.00472, 4.10573, 3.47287, 5.07556,
            4.82239, 3.53490, 4.39709,
        ]
        let values = output.contiguous().array(of: Float.self)
        let seen = stride(from: 0, to: values.count, by: 37).map { values[$0] }
        #expect(isClose(seen, expected, within: 2e-3))
    }

    @Test func `The compiled network computes the same`() throws {
        let network = try DetectorNetwork.bundled()
        let compiled = network.compiled(height: 64, width: 96, dtype: .float32)
        for picture in [noise(width: 96, height: 64), noise(width: 160, height: 32)] {
            let (a, b) = withoutGradients { (network(input(picture)), compiled(input(picture))) }
            #expect(isClose(b.contiguous(), a.contiguous(), within: 1e-3))
        }
    }

    @Test func `Half precision changes little`() throws {
        let network = try DetectorNetwork.bundled()
        let half = network.compiled(height: 64, width: 96)
        let picture = input(noise(width: 96, height: 64))
        let (a, b) = withoutGradients { (network(picture), half(picture)) }
        #expect(isClose(b.contiguous(), a.contiguous(), within: 0.15))
    }

    @Test(
        arguments: [
            // The picture's size, and the input's.
            ([1920, 1080], [1280, 736]), ([1280, 720], [1280, 736]), ([1080, 1920], [736, 1280]),
            ([3840, 2160], [1280, 736]), ([640, 360], [1280, 736]), ([300, 200], [608, 416]),
            ([1, 1], [32, 32]), ([1, 4000], [32, 2560]), ([10_000, 100], [2560, 32]),
        ])
    func `Pictures are scaled to one area, within limits`(picture: [Int], expected: [Int]) {
        let size = PlayerDetector.size(width: picture[0], height: picture[1])
        #expect([size.width, size.height] == expected)
    }

    @Test func `A cell's box is around its middle and clipped to the picture`() {
        let (rows, columns) = (4, 6)
        var output = [Float](repeating: 0, count: 5 * rows * columns)
        for cell in 0..<rows * columns { output[cell] = -9 }
        func set(_ row: Int, _ column: Int, _ logit: Float, _ distances: [Float]) {
            for (channel, value) in ([logit] + distances).enumerated() {
                output[(channel * rows + row) * columns + column] = value
            }
        }
        set(1, 2, 0, [2, 3, 2, 3])
        set(3, 5, 2, [2, 2, 3, 3])
        // Too unsure, and not a number.
        set(0, 0, -3, [2, 2, 2, 2])
        set(0, 3, .nan, [2, 2, 2, 2])
        let found = PlayerDetector.detections(
            in: output, rows: rows, columns: columns, scale: SIMD2(2, 3), limit: SIMD2(96, 96))
        // 4 pixels to either side and 8 up and down, scaled, with a margin; the other one ends at the edges.
        let expected = [
            [31.6, 10.8, 16.8, 50.4, 0.5], [79.4, 71.1, 16.6, 24.9, 1 / (1 + exp(-2))],
        ]
        #expect(found.count == 2)
        for (box, values) in zip(found, expected) {
            for (value, wanted) in zip([box.left, box.top, box.width, box.height, box.score], values) {
                #expect(isClose(value, wanted, within: 1e-6))
            }
        }
    }

    @Test(arguments: [[1, 1], [1, 4000], [4000, 1], [31, 17]])
    func `Tiny and thin pictures are looked at`(size: [Int]) throws {
        let picture = noise(width: size[0], height: size[1])
        for box in try Self.detector.get().detections(in: picture) {
            #expect(box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0)
            #expect(box.right <= Double(size[0]) + 1e-6 && box.bottom <= Double(size[1]) + 1e-6)
            #expect((PlayerDetector.leastScore...1).contains(box.score))
        }
    }

    @Test(arguments: [0, 128, 255] as [UInt8])
    func `Nobody is found in a picture of one colour`(level: UInt8) throws {
        #expect(try Self.detector.get().detections(in: filled(level, width: 320, height: 180)).isEmpty)
    }

    @Test func `Threads may look at different pictures at once`() async throws {
        let detector = try Self.detector.get()
        let pictures = [noise(width: 160, height: 96), filled(90, width: 96, height: 160)]
        let alone = pictures.map { detector.detections(in: $0) }
        await withTaskGroup(of: (Int, [Detection]).self) { group in
            for index in 0..<6 { group.addTask { (index, detector.detections(in: pictures[index % 2])) } }
            for await (index, found) in group { #expect(found == alone[index % 2]) }
        }
    }
}
