import Foundation
import Jersey
import Torch

/// The blur of straight motion during the exposure.
struct MotionBlur {
    /// Length of the motion in pixels.
    let length: Double
    /// Degrees counter-clockwise from the right, 0..<180. Opposite directions blur alike.
    let angle: Double

    /// Averages (1, C, h, w) levels along the motion. Edges are repeated. A picture with dark edges
    /// keeps its sum.
    func callAsFunction(_ picture: Tensor) -> Tensor {
        guard reach > 0 else { return picture }
        let channels = picture.shape[1]
        let weights = [[Float]](repeating: kernel, count: channels).flatMap { $0 }
        return bordered(bordered(picture, 2), 3)
            .convolved(with: Tensor(weights, shape: [channels, 1, side, side]), groups: channels)
    }

    /// Pixels to either side.
    private var reach: Int { Int((length / 2).rounded(.up)) }
    private var side: Int { 2 * reach + 1 }

    /// Weights (side, side) with sum 1. Each of many points along the motion is shared among its
    /// four nearest pixels.
    var kernel: [Float] {
        var kernel = [Double](repeating: 0, count: side * side)
        let (dx, dy) = (cos(angle * .pi / 180), -sin(angle * .pi / 180))
        let points = 8 * side
        for point in 0..<points {
            let way = length * ((Double(point) + 0.5) / Double(points) - 0.5)
            let (x, y) = (Double(reach) + way * dx, Double(reach) + way * dy)
            let (left, top) = (min(Int(x), side - 1), min(Int(y), side - 1))
            for (row, share) in [(top, 1 - (y - Double(top))), (top + 1, y - Double(top))] where row < side {
                kernel[row * side + left] += share * (1 - (x - Double(left)))
                if left + 1 < side { kernel[row * side + left + 1] += share * (x - Double(left)) }
            }
        }
        let sum = kernel.reduce(0, +)
        return kernel.map { Float($0 / sum) }
    }

    /// Pads `dimension` by repeating the first and last row or column.
    private func bordered(_ picture: Tensor, _ dimension: Int) -> Tensor {
        let last = picture.shape[dimension] - 1
        return picture.indexSelected(
            dimension, at: Tensor((-reach...last + reach).map { Int64(min(max($0, 0), last)) }))
    }
}
