/// An upright box in a picture, in pixels.
package protocol Rectangular {
    var left: Double { get }
    var top: Double { get }
    var width: Double { get }
    var height: Double { get }
}

extension Rectangular {
    package var right: Double { left + width }
    package var bottom: Double { top + height }

    /// The area that both boxes cover, as a share of the area that at least one covers: 0...1.
    package func overlap(with other: some Rectangular) -> Double {
        let across = min(right, other.right) - max(left, other.left)
        let down = min(bottom, other.bottom) - max(top, other.top)
        let shared = max(across, 0) * max(down, 0)
        return shared / max(width * height + other.width * other.height - shared, 1e-9)
    }
}
