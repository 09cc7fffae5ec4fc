/// Finds the numbers on whole players, so that a model can read them larger.
protocol NumberFinding: Sendable {
    /// The surroundings of each frame's number.
    ///
    /// - Throws: `UsageError` for a picture so thin that nothing is left of it at the input size.
    func numbers(of frames: [RGBImage]) throws -> [RGBImage]
}

/// What a model is shown of whole players, as trackers cut them out. A model of number crops needs less than all of it, and larger.
package enum WholePlayers: String, Codable, Sendable, CaseIterable {
    /// All of the crop.
    case whole
    /// The rows where a number would be.
    case torso
    /// The surroundings of the number, which a glance at the torso finds (`NumberFinder`).
    case number

    /// Rows, as shares of the crop's height, that contain 98% of the numbers of rendered players.
    static let torsoRows = 0.2...0.55
    /// Side of the square around a number that was found, in the crop's height: most numbers are half as high.
    package static let numberSide = 0.25
    /// Crops of numbers are wider for their height, and so are few players.
    static let greatestAspect = 0.6
    /// Pixels. A number of one digit is narrow, too, but its crop is low; on a player so small nothing could be read.
    static let leastHeight = 60

    /// Whether these frames of one sequence show whole players: most are high, and much higher than wide.
    package static func areShown(in frames: [RGBImage]) -> Bool {
        frames.count { $0.height >= leastHeight && Double($0.width) < greatestAspect * Double($0.height) } * 2 > frames.count
    }

    /// At least one row of the crop.
    package static func torso(of frame: RGBImage) -> RGBImage {
        let top = Int(clamping: (Double(frame.height) * torsoRows.lowerBound).rounded())
        let bottom = max(top + 1, Int(clamping: (Double(frame.height) * torsoRows.upperBound).rounded()))
        return frame.cropped(x: 0..<frame.width, y: top..<bottom)
    }

    /// The surroundings of a number, as far as they are on the crop.
    ///
    /// - Parameters:
    ///   - x: of the number's middle, as a share of the torso's width.
    ///   - y: as a share of the torso's height.
    package static func number(of frame: RGBImage, x: Double, y: Double) -> RGBImage {
        let (width, height) = (Double(frame.width), Double(frame.height))
        let row = height * (torsoRows.lowerBound + y * (torsoRows.upperBound - torsoRows.lowerBound))
        func side(around middle: Double, of length: Int) -> Range<Int> {
            let start = min(max(0, Int(clamping: (middle - numberSide * height / 2).rounded())), length - 1)
            let end = max(start + 1, min(length, Int(clamping: (middle + numberSide * height / 2).rounded())))
            return start..<end
        }
        return frame.cropped(x: side(around: x * width, of: frame.width), y: side(around: row, of: frame.height))
    }
}
