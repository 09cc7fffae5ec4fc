import Foundation

/// Where the number of a player is in a picture.
public struct NumberBox: Sendable, Equatable, Codable {
    /// The left edge, in pixels of the picture.
    public let left: Double
    /// The top edge, in pixels.
    public let top: Double
    /// In pixels.
    public let width: Double
    /// In pixels.
    public let height: Double
    /// How sure the finder is that this is the player's number, 0...1.
    public let confidence: Double

    package init(left: Double, top: Double, width: Double, height: Double, confidence: Double = 1) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
        self.confidence = confidence
    }
}

extension NumberBox: Rectangular {}

extension NumberBox {
    /// A box such as a finder that errs could give, for training.
    ///
    /// - Parameter truth: nil if no number is seen. The result is then mostly nil as well, and
    ///   otherwise a place anywhere, where a model learns that there is nothing to read.
    static func jittered(_ truth: NumberBox?, in picture: RGBImage, _ random: inout RandomStream)
        -> NumberBox?
    {
        // The same draws whatever the truth is.
        let (isFound, x, y, size) = (
            random.chance(0.8), random.normal(), random.normal(), random.normal()
        )
        guard let truth else {
            guard isFound else { return nil }
            let side = Double(min(picture.width, picture.height)) * exp(0.4 * size - 0.7)
            return NumberBox(
                left: Double(picture.width) * (0.5 + 0.15 * x) - side / 2,
                top: Double(picture.height) * (0.4 + 0.15 * y) - side / 2, width: side, height: side)
        }
        let side = max(truth.width, truth.height)
        let scale = exp(min(max(0.12 * size, -0.3), 0.4))
        return NumberBox(
            left: truth.left + (0.05 * x * side) - truth.width * (scale - 1) / 2,
            top: truth.top + (0.05 * y * side) - truth.height * (scale - 1) / 2,
            width: truth.width * scale, height: truth.height * scale)
    }
}

extension RGBImage {
    /// The side of the square around a number, relative to the longer side of its box. The rest is
    /// margin, which makes up for boxes that are not exact.
    package static let numberMargin = 1.3

    /// The square around a number, clipped to the picture: what a model reads.
    package func cropped(around box: NumberBox) -> RGBImage {
        let side = max(box.width, box.height, 1) * Self.numberMargin
        func range(_ middle: Double, of length: Int) -> Range<Int> {
            let start = min(max(0, Int(clamping: (middle - side / 2).rounded())), length - 1)
            return start..<max(start + 1, min(length, Int(clamping: (middle + side / 2).rounded())))
        }
        return cropped(
            x: range(box.left + box.width / 2, of: width), y: range(box.top + box.height / 2, of: height))
    }
}
