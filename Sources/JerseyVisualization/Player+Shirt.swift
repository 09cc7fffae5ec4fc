import Jersey
import JerseyOutput

extension Player {
    /// The colour of somebody whose shirt is not known, or does not matter.
    static let unknownShirt = Canvas.Colour(0x8C8F93)

    /// The colour of the shirt, for drawing.
    var shirt: Canvas.Colour {
        colour.flatMap { UInt32($0.dropFirst(), radix: 16) }.map { Canvas.Colour($0) } ?? Self.unknownShirt
    }
}
