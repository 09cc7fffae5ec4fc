/// Where a number is on a whole player's crop, as trackers cut it out: a model of number crops finds it large enough there.
public enum Torso {
    /// Of a crop's height, from its top: in rendered crops 98% of numbers, be it of one who runs, bends or stands, lie within.
    static let rows = 0.2...0.55
    /// Crops of numbers are wider for their height, and so are few players.
    static let greatestAspect = 0.6
    /// Pixels. A number of one digit is narrow, too, but its crop is low; on a player so small nothing could be read.
    static let leastHeight = 60

    /// Whether these frames of one sequence show whole players: most are high, and much higher than wide.
    public static func areWholePlayers(_ frames: [RGBImage]) -> Bool {
        frames.count { $0.height >= leastHeight && Double($0.width) < greatestAspect * Double($0.height) } * 2 > frames.count
    }

    /// At least one row of the crop.
    public static func cut(from frame: RGBImage) -> RGBImage {
        let top = Int((Double(frame.height) * rows.lowerBound).rounded())
        let bottom = max(top + 1, Int((Double(frame.height) * rows.upperBound).rounded()))
        let bytes = frame.width * 3
        return RGBImage(width: frame.width, height: bottom - top, pixels: Array(frame.pixels[top * bytes..<bottom * bytes]))
    }
}
