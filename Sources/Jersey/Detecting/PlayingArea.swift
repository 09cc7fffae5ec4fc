/// The surface that a match is played on, as a picture shows it: grass, a court, ice.
///
/// Who stands on it counts as a player (or an official); spectators, coaches and substitutes stand elsewhere. The
/// surface is taken to be what has the most frequent colour in the picture's lower three quarters. A colour is judged
/// by its hue and saturation, so shadows and mown stripes belong to it. In a picture without such a surface, such as
/// a close view of a face, everybody counts.
package struct PlayingArea: Sendable {
    /// Whom to keep.
    package enum Rule: String, CaseIterable, Sendable {
        /// Whoever stands on the playing surface.
        case players
        /// Everybody who is detected.
        case everybody

        package func kept(_ detections: [Detection], in picture: RGBImage) -> [Detection] {
            guard self == .players, !detections.isEmpty else { return detections }
            let area = PlayingArea(of: picture)
            return detections.filter(area.holds)
        }
    }

    /// The side of the squares that are judged by their mean colour, in pixels.
    private static let cell = 8
    /// The greatest distance of a colour from the surface's, in shares of red and green.
    private static let tolerance: Float = 0.05
    /// The brightness of the surface, relative to its mean.
    private static let brightness: ClosedRange<Float> = 0.35...1.9
    /// A surface covers at least this share of the picture's lower three quarters.
    private static let leastCover = 0.2
    /// Beside the lower legs, at least this share is surface.
    private static let leastGround = 0.3
    /// How far that reaches: to the left and right of the box in widths, and up from its bottom in heights. What is
    /// below says nothing: the boards behind a pitch stand on it, too.
    private static let (aside, upward) = (0.35, 0.2)

    private let columns, rows: Int
    /// How many squares above and left of a corner are surface, (rows + 1) × (columns + 1); empty without a surface.
    private let sums: [Int32]

    package init(of picture: RGBImage) {
        (columns, rows) = (Self.cells(picture.width), Self.cells(picture.height))
        let colours = Self.colours(of: picture, rows: rows, columns: columns)
        let lower = rows / 4 * columns..<rows * columns
        var middle = Self.mostFrequent(colours[lower])
        var light: Float = 0
        // The bin's middle is not yet the colour's.
        for _ in 0..<3 {
            let near = colours[lower].filter { $0.distance(to: middle) < Self.tolerance }
            let sum = near.reduce(SIMD3<Float>.zero) { $0 + $1.values }
            guard !near.isEmpty else { break }
            middle = Colour(values: sum / Float(near.count))
            light = middle.values.z
        }
        let isSurface = colours.map { colour in
            colour.distance(to: middle) < Self.tolerance
                && (Self.brightness.lowerBound * light...Self.brightness.upperBound * light)
                    .contains(colour.values.z)
        }
        let cover = isSurface[lower].count { $0 }
        guard Double(cover) >= Self.leastCover * Double(lower.count) else {
            sums = []
            return
        }
        var sums = [Int32](repeating: 0, count: (rows + 1) * (columns + 1))
        for row in 0..<rows {
            var sum: Int32 = 0
            for column in 0..<columns {
                if isSurface[row * columns + column] { sum += 1 }
                sums[(row + 1) * (columns + 1) + column + 1] = sums[row * (columns + 1) + column + 1] + sum
            }
        }
        self.sums = sums
    }

    /// Whether somebody stands on the surface.
    package func holds(_ detection: Detection) -> Bool {
        guard !sums.isEmpty else { return true }
        func cells(_ low: Double, _ high: Double, _ count: Int) -> Range<Int> {
            let side = Double(Self.cell)
            let first = min(max(Int(clamping: (low / side).rounded(.down)), 0), count - 1)
            return first..<max(min(Int(clamping: (high / side).rounded(.up)), count), first + 1)
        }
        let reach = Self.aside * detection.width
        let across = cells(detection.left - reach, detection.right + reach, columns)
        let down = cells(detection.bottom - Self.upward * detection.height, detection.bottom, rows)
        func sum(_ row: Int, _ column: Int) -> Double { Double(sums[row * (columns + 1) + column]) }
        let ground =
            sum(down.upperBound, across.upperBound) - sum(down.lowerBound, across.upperBound)
            - sum(down.upperBound, across.lowerBound) + sum(down.lowerBound, across.lowerBound)
        return ground >= Self.leastGround * Double(down.count * across.count)
    }

    private static func cells(_ side: Int) -> Int { (side + cell - 1) / cell }

    /// Shares of red and green, and brightness.
    private struct Colour {
        let values: SIMD3<Float>

        init(values: SIMD3<Float>) {
            self.values = values
        }

        /// - Parameter colour: red, green and blue, 0...255. Dark ones count as nearly grey, because nothing is known
        ///   of their hue.
        init(_ colour: SIMD3<Float>) {
            let sum = colour.sum()
            values = SIMD3((colour.x + 10) / (sum + 30), (colour.y + 10) / (sum + 30), sum / 3)
        }

        func distance(to other: Colour) -> Float {
            let (x, y) = (values.x - other.values.x, values.y - other.values.y)
            return (x * x + y * y).squareRoot()
        }
    }

    /// The mean colour of each square.
    private static func colours(of picture: RGBImage, rows: Int, columns: Int) -> [Colour] {
        var sums = [SIMD4<Float>](repeating: .zero, count: rows * columns)
        picture.pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<picture.height {
                let line = y / cell * columns
                for x in 0..<picture.width {
                    let pixel = (y * picture.width + x) * 3
                    sums[line + x / cell] += SIMD4(
                        Float(pixels[pixel]), Float(pixels[pixel + 1]), Float(pixels[pixel + 2]), 1)
                }
            }
        }
        return sums.map { Colour(SIMD3($0.x, $0.y, $0.z) / $0.w) }
    }

    /// The middle of the fullest bin of shares of red and green, with its neighbours' support.
    private static func mostFrequent(_ colours: ArraySlice<Colour>) -> Colour {
        let bins = 64
        func bin(_ share: Float) -> Int { min(max(Int(share * Float(bins)), 0), bins - 1) }
        var counts = [Int](repeating: 0, count: bins * bins)
        for colour in colours { counts[bin(colour.values.x) * bins + bin(colour.values.y)] += 1 }
        func support(_ index: Int) -> Int {
            var sum = 0
            for (way, weight) in [(0, 2), (-1, 1), (1, 1), (-bins, 1), (bins, 1)]
            where counts.indices.contains(index + way) { sum += weight * counts[index + way] }
            return sum
        }
        let best = counts.indices.max { (support($0), $1) < (support($1), $0) } ?? 0
        let middle = SIMD3(Float(best / bins) + 0.5, Float(best % bins) + 0.5, 0) / Float(bins)
        return Colour(values: middle)
    }
}
