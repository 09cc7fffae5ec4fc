/// Finds the numbers on whole players, so that a model can read them larger.
protocol NumberFinding: Sendable {
    /// Crops each frame to the surroundings of its number.
    ///
    /// - Throws: `UsageError` for an image so thin that nothing is left of it at the input size.
    func numbers(of frames: [RGBImage]) throws -> [RGBImage]
}

/// The part of whole players, as trackers crop them, that a model sees. A model for number crops
/// needs only a part, and that enlarged.
package enum WholePlayers: String, Codable, Sendable, CaseIterable {
    /// The whole crop.
    case whole
    /// The rows where a number can be.
    case torso
    /// The surroundings of the number, which a first pass over the torso finds (`NumberFinder`).
    case number

    /// Rows, as shares of the crop's height, that contain 98% of the numbers of rendered players.
    static let torsoRows = 0.2...0.55
    /// The side of the square around a found number, as a share of the crop's height. Most numbers
    /// are half that high.
    package static let numberSide = 0.25
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

    /// The surroundings of a number, clipped to the crop.
    ///
    /// - Parameters:
    ///   - x: the middle of the number, as a share of the torso's width.
    ///   - y: the same, as a share of the torso's height.
    package static func number(of frame: RGBImage, x: Double, y: Double) -> RGBImage {
        let (width, height) = (Double(frame.width), Double(frame.height))
        let row = height * (torsoRows.lowerBound + y * (torsoRows.upperBound - torsoRows.lowerBound))
        func side(around middle: Double, of length: Int) -> Range<Int> {
            let start = min(max(0, Int(clamping: (middle - numberSide * height / 2).rounded())), length - 1)
            let end = max(start + 1, min(length, Int(clamping: (middle + numberSide * height / 2).rounded())))
            return start..<end
        }
        return frame.cropped(
            x: side(around: x * width, of: frame.width), y: side(around: row, of: frame.height))
    }
}
