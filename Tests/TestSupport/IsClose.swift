import Torch

/// Whether two numbers differ by at most `tolerance`; false for nil.
package func isClose(_ a: Double?, _ b: Double, within tolerance: Double = 1e-9) -> Bool {
    a.map { abs($0 - b) <= tolerance } ?? false
}

/// Whether each pair differs by at most `tolerance`, relative to the expected value if that is
/// above 1.
package func isClose(_ a: [Float], _ b: [Float], within tolerance: Float = 1e-5) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

/// The same for two tensors, whose shapes must be equal.
package func isClose(_ a: Tensor, _ b: Tensor, within tolerance: Float = 1e-5) -> Bool {
    a.shape == b.shape && isClose(a.floats, b.floats, within: tolerance)
}
