import Foundation
import Torch

/// Finds the people in pictures of matches, with the bundled weights (docs/measurements/detection.md). Threads may
/// share one.
package final class PlayerDetector: Sendable {
    /// Less sure detections are not worth following.
    package static let leastScore = 0.1

    /// Boxes that share more than this are of one person.
    private static let greatestOverlap = 0.5
    /// The area to which pictures are scaled, in pixels. A player of a wide shot stays about 40 pixels high.
    private static let area = 1280.0 * 736
    /// The greatest height that is trusted, in pixels of the network's input. Where there are higher boxes, a second
    /// look at half the size tells.
    private static let greatestHeight = 140.0
    /// The least height that is trusted in the second look.
    private static let leastHeight = 35.0
    /// Small pictures are enlarged up to this; and the limit of a thin one's longer side, in pixels.
    private static let (greatestScale, greatestSide) = (2.0, 2560.0)
    /// Rendered players have exact boxes; people who draw boxes leave a margin. Relative to the box.
    private static let margin = 0.025

    private let network: @Sendable (Tensor) -> Tensor

    /// - Throws: `FileError` if the weights do not fit.
    package static func bundled() throws -> PlayerDetector {
        PlayerDetector(try DetectorNetwork.bundled())
    }

    init(_ network: DetectorNetwork) {
        self.network = withoutGradients { network.compiled(height: 736, width: 1280) }
    }

    /// Everybody who is seen in a picture, the surest first, with scores of at least `leastScore`: spectators and
    /// coaches, too (see `PlayingArea`). Boxes end at the picture's edges.
    package func detections(in picture: RGBImage) -> [Detection] {
        let (width, height) = Self.size(width: picture.width, height: picture.height)
        let limit = SIMD2(Double(picture.width), Double(picture.height))
        let full = picture.resized(width: width, height: height)
        var found = look(at: full, limit: limit)
        let pixel = limit.y / Double(height)
        if found.contains(where: { $0.height > 0.7 * Self.greatestHeight * pixel }) {
            let half = Self.size(width: picture.width, height: picture.height, scale: 0.5)
            let near = look(at: full.resized(width: half.width, height: half.height), limit: limit)
            found = found.filter { $0.height <= Self.greatestHeight * pixel }
            found += near.filter { $0.height * Double(half.height) >= Self.leastHeight * limit.y }
        }
        return found.suppressed(overlap: Self.greatestOverlap)
    }

    /// - Parameter limit: the size of the picture that the boxes are in.
    private func look(at picture: RGBImage, limit: SIMD2<Double>) -> [Detection] {
        let size = SIMD2(Double(picture.width), Double(picture.height))
        let output = withoutGradients { () -> [Float] in
            let pixels = Tensor(picture.pixels, shape: [1, picture.height, picture.width, 3])
            let colours = pixels.scaledFrames(
                .init(repeating: 2 / 255, count: 3), .init(repeating: -1, count: 3))
            return network(colours).contiguous().array()
        }
        return Self.detections(
            in: output, rows: picture.height / DetectorNetwork.cell,
            columns: picture.width / DetectorNetwork.cell, scale: limit / size, limit: limit)
    }

    /// The size at which a picture of this size is looked at.
    static func size(width: Int, height: Int, scale: Double = 1) -> (width: Int, height: Int) {
        let (width, height) = (Double(width), Double(height))
        let scale =
            scale
            * min(
                (area / (width * height)).squareRoot(), greatestScale, greatestSide / max(width, height))
        func side(_ length: Double) -> Int {
            let step = Double(DetectorNetwork.multiple)
            return Int(max(1, (length * scale / step).rounded()) * step)
        }
        return (side(width), side(height))
    }

    /// The boxes that the network's output stands for, of each person more than one.
    ///
    /// - Parameters:
    ///   - output: (5, rows, columns), as `DetectorNetwork` says.
    ///   - scale: pixels of the picture per pixel of the network's input.
    ///   - limit: the picture's size.
    static func detections(
        in output: [Float], rows: Int, columns: Int, scale: SIMD2<Double>, limit: SIMD2<Double>
    ) -> [Detection] {
        let least = Float(log(leastScore / (1 - leastScore)))
        let (count, side) = (rows * columns, Double(DetectorNetwork.cell))
        var found: [Detection] = []
        for cell in 0..<count where output[cell] >= least {
            func distance(_ edge: Int) -> Double {
                exp2(min(max(Double(output[(edge + 1) * count + cell]), -2), 10))
            }
            let x = (Double(cell % columns) + 0.5) * side
            let y = (Double(cell / columns) + 0.5) * side
            let low = SIMD2(x - distance(0), y - distance(1)) * scale
            let high = SIMD2(x + distance(2), y + distance(3)) * scale
            let rim = (high - low) * margin
            let (first, last) = (pointwiseMax(low - rim, .zero), pointwiseMin(high + rim, limit))
            guard last.x > first.x, last.y > first.y else { continue }
            found.append(
                Detection(
                    left: first.x, top: first.y, width: last.x - first.x, height: last.y - first.y,
                    score: 1 / (1 + exp(-Double(output[cell])))))
        }
        return found
    }
}
