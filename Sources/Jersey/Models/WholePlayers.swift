/// The part of a picture of a player that a model sees.
package enum WholePlayers: String, Codable, Sendable, CaseIterable {
    /// The whole picture.
    case whole
    /// The rows where a number can be, if the picture shows a whole player.
    case torso
    /// The surroundings of the number, which a finder locates (`NumberFinder`).
    case number

    /// Rows, as shares of the crop's height, that contain 98% of the numbers of rendered players
    /// from behind.
    static let torsoRows = 0.2...0.55
    /// The greatest width of a whole player, as a share of its height. Number crops are wider; few
    /// players are.
    static let greatestAspect = 0.6
    /// The least height of a whole player, in pixels. The crop of a one-digit number is narrow as
    /// well, but not so high, and on a smaller player nothing could be read.
    static let leastHeight = 60

    /// Whether these frames of one sequence show whole players: most are high, and much higher than
    /// wide.
    package static func areShown(in frames: [RGBImage]) -> Bool {
        frames.count { $0.height >= leastHeight && Double($0.width) < greatestAspect * Double($0.height) } * 2
            > frames.count
    }

    /// The rows of the torso, at least one.
    package static func torso(of frame: RGBImage) -> RGBImage {
        let top = Int(clamping: (Double(frame.height) * torsoRows.lowerBound).rounded())
        let bottom = max(top + 1, Int(clamping: (Double(frame.height) * torsoRows.upperBound).rounded()))
        return frame.cropped(x: 0..<frame.width, y: top..<bottom)
    }
}
