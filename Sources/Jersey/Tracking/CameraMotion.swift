import Foundation

/// How the camera moved between two pictures: a pan, a zoom and a roll.
///
/// A point (x, y) of the first picture is at (scale · x - roll · y + right, roll · x + scale · y +
/// down) in the second.
package struct CameraMotion: Sendable, Equatable {
    /// The enlargement, times the cosine of the roll.
    package var scale = 1.0
    /// The enlargement, times the sine of the roll.
    package var roll = 0.0
    /// In pixels.
    package var right = 0.0
    /// In pixels.
    package var down = 0.0

    package static let none = CameraMotion()

    /// Where a point of the first picture is in the second.
    func moved(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        (scale * x - roll * y + right, roll * x + scale * y + down)
    }

    /// By how much lengths grow.
    var enlargement: Double { (scale * scale + roll * roll).squareRoot() }
}

/// Finds the motion of the camera, and cuts between shots, in small grey pictures.
///
/// The pan of the whole picture is searched in a coarse one. Blocks of a finer one then find their
/// places around it, and a similarity is fitted to them. Blocks on people are left out, and blocks that
/// do not agree count less (iteratively reweighted least squares, Holland and Welsch 1977).
struct CameraMotionEstimator {
    /// What happened since the last picture.
    struct Change {
        var motion = CameraMotion.none
        /// Whether another shot begins.
        var isCut = false
    }

    private let scale: Double
    private var last: (fine: GreyPicture, coarse: GreyPicture, people: [Detection])?

    /// The width of the finer picture, in pixels.
    static let width = 240

    /// - Parameter width: of the pictures in which the motion is measured, in pixels.
    init(width: Int) {
        scale = Double(max(width, 1)) / Double(Self.width)
    }

    /// - Parameters:
    ///   - picture: the next one, `Self.width` pixels wide.
    ///   - people: in it, in pixels of the video.
    mutating func change(to picture: GreyPicture, people: [Detection] = []) -> Change {
        let coarse = picture.halved().halved()
        defer { last = (picture, coarse, people) }
        guard let last, last.fine.width == picture.width, last.fine.height == picture.height else {
            return Change()
        }
        let pan = Self.pan(from: last.coarse, to: coarse)
        let matches = Self.matches(from: last.fine, to: picture, around: (pan.x * 4, pan.y * 4)) { x, y in
            // Not even partly on somebody: ground without texture would give way to his edges.
            !last.people.contains { person in
                person.left < (x + Self.block) * scale && x * scale < person.left + person.width
                    && person.top < (y + Self.block) * scale && y * scale < person.top + person.height
            }
        }
        let (motion, agreement) = Self.fitted(matches)
        // After a cut, blocks find no place, or each another one.
        if Self.isCut(last.coarse, coarse, agreement: agreement) { return Change(isCut: true) }
        guard agreement >= Self.leastAgreement else { return Change() }
        var scaled = motion
        scaled.right *= scale
        scaled.down *= scale
        return Change(motion: scaled)
    }

    /// The side of a block, in pixels of the finer picture.
    private static let block = 16.0
    /// Fewer blocks may lie on whatever moves by itself.
    private static let fewestMatches = 6
    /// The share of the blocks that must agree on a motion.
    private static let leastAgreement = 0.3
    /// How far the whole picture is searched for, in pixels of the coarse picture: a fifth of its
    /// width.
    private static let reach = 12

    /// The pan that makes two pictures most alike.
    private static func pan(from old: GreyPicture, to new: GreyPicture) -> (x: Int, y: Int) {
        var best = (cost: Double.infinity, x: 0, y: 0)
        let vertical = min(reach / 2, old.height / 4)
        for y in -vertical...vertical {
            for x in -reach...reach {
                // Small pans first where there is nothing to tell them apart.
                let cost = old.difference(from: new, x: x, y: y) + 0.02 * Double(abs(x) + abs(y))
                if cost < best.cost { best = (cost, x, y) }
            }
        }
        return (best.x, best.y)
    }

    private struct Match {
        let x, y, toX, toY: Double
        /// How distinct the block is.
        let weight: Double
    }

    private static func matches(
        from old: GreyPicture, to new: GreyPicture, around pan: (x: Int, y: Int),
        where isFree: (_ left: Double, _ top: Double) -> Bool
    ) -> [Match] {
        let (side, reach) = (Int(block), 6)
        var matches: [Match] = []
        for top in stride(from: 4, to: old.height - side - 3, by: side) {
            for left in stride(from: 4, to: old.width - side - 3, by: side) {
                guard old.texture(left, top, side) > 3, isFree(Double(left), Double(top)) else {
                    continue
                }
                var costs: [(cost: Double, x: Int, y: Int)] = []
                for y in -reach...reach {
                    for x in -reach...reach {
                        let (toX, toY) = (left + pan.x + x, top + pan.y + y)
                        guard toX >= 0, toY >= 0, toX + side <= new.width, toY + side <= new.height else {
                            continue
                        }
                        costs.append((old.blockDifference(left, top, side, from: new, toX, toY), x, y))
                    }
                }
                guard let best = costs.min(by: { $0.cost < $1.cost }), best.cost < 20 else { continue }
                let others = costs.filter { abs($0.x - best.x) > 2 || abs($0.y - best.y) > 2 }
                guard let second = others.map(\.cost).min() else { continue }
                func refined(_ value: (Int) -> Double?) -> Double {
                    guard let before = value(-1), let after = value(1) else { return 0 }
                    let curve = before + after - 2 * best.cost
                    return curve > 1e-9 ? min(max((before - after) / (2 * curve), -0.5), 0.5) : 0
                }
                let place = Dictionary(
                    costs.lazy.filter { abs($0.x - best.x) + abs($0.y - best.y) == 1 }.map {
                        ([$0.x - best.x, $0.y - best.y], $0.cost)
                    }, uniquingKeysWith: { first, _ in first })
                let (middleX, middleY) = (Double(left) + 8, Double(top) + 8)
                matches.append(
                    Match(
                        x: middleX, y: middleY,
                        toX: middleX + Double(pan.x + best.x) + refined { place[[$0, 0]] },
                        toY: middleY + Double(pan.y + best.y) + refined { place[[0, $0]] },
                        weight: max(second - best.cost, 0.05)))
            }
        }
        return matches
    }

    /// The similarity on which most matches agree, and the share that agrees.
    private static func fitted(_ matches: [Match]) -> (CameraMotion, agreement: Double) {
        guard matches.count >= Self.fewestMatches else { return (.none, 0) }
        var motion = CameraMotion.none
        motion.right = median(matches.map { $0.toX - $0.x })
        motion.down = median(matches.map { $0.toY - $0.y })
        var distances: [Double] = []
        for round in 0..<8 {
            distances = matches.map { match in
                let (x, y) = motion.moved(match.x, match.y)
                return ((match.toX - x) * (match.toX - x) + (match.toY - y) * (match.toY - y)).squareRoot()
            }
            let width = round < 3 ? 3.0 : 1.5
            let weights = zip(matches, distances).map { match, distance in
                match.weight / (1 + (distance / width) * (distance / width) * (distance / width))
            }
            guard let next = solved(matches, weights), abs(next.enlargement - 1) < 0.3 else { break }
            motion = next
        }
        let total = matches.reduce(0) { $0 + $1.weight }
        let agreeing = zip(matches, distances).reduce(0) { $0 + ($1.1 < 2 ? $1.0.weight : 0) }
        return (motion, agreeing / max(total, 1e-9))
    }

    /// Weighted least squares.
    private static func solved(_ matches: [Match], _ weights: [Double]) -> CameraMotion? {
        let total = weights.reduce(0, +)
        guard total > 1e-9 else { return nil }
        func mean(_ value: (Match) -> Double) -> Double {
            zip(matches, weights).reduce(0) { $0 + value($1.0) * $1.1 } / total
        }
        let (x, y, toX, toY) = (mean(\.x), mean(\.y), mean(\.toX), mean(\.toY))
        var (along, across, spread) = (0.0, 0.0, 0.0)
        for (match, weight) in zip(matches, weights) {
            let (a, b, c, d) = (match.x - x, match.y - y, match.toX - toX, match.toY - toY)
            along += weight * (a * c + b * d)
            across += weight * (a * d - b * c)
            spread += weight * (a * a + b * b)
        }
        guard spread > 1e-9 else { return nil }
        let (scale, roll) = (along / spread, across / spread)
        return CameraMotion(
            scale: scale, roll: roll, right: toX - scale * x + roll * y, down: toY - roll * x - scale * y)
    }

    /// Whether two pictures are of different shots: no motion explains them, and their brightness is
    /// spread otherwise.
    private static func isCut(_ old: GreyPicture, _ new: GreyPicture, agreement: Double) -> Bool {
        guard agreement < 0.5 else { return false }
        let (first, second) = (old.histogram(), new.histogram())
        let shared = zip(first, second).reduce(0) { $0 + min($1.0, $1.1) }
        return shared < (agreement < 0.25 ? 0.8 : 0.6)
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

/// A small picture of brightness.
struct GreyPicture: Sendable, Equatable {
    let width, height: Int
    /// Row by row, 0...255.
    let values: [UInt8]

    init(width: Int, height: Int, values: [UInt8]) {
        self.width = width
        self.height = height
        self.values = values
    }

    /// The green channel, which is most of the brightness, made smaller.
    ///
    /// - Parameter width: of the result, in pixels. A narrower picture keeps its width.
    init(_ image: RGBImage, width: Int) {
        let width = min(width, image.width)
        let scale = Double(image.width) / Double(width)
        let height = max(1, Int((Double(image.height) / scale).rounded()))
        // A few pixels of each area are enough.
        let steps = max(1, min(4, Int(scale)))
        var values = [UInt8](repeating: 0, count: width * height)
        image.pixels.withUnsafeBufferPointer { pixels in
            for row in 0..<height {
                for column in 0..<width {
                    var sum = 0
                    for step in 0..<steps * steps {
                        let across = Double(column) + (Double(step % steps) + 0.5) / Double(steps)
                        let down = Double(row) + (Double(step / steps) + 0.5) / Double(steps)
                        let x = min(Int(across * scale), image.width - 1)
                        let y = min(Int(down * scale), image.height - 1)
                        sum += Int(pixels[(y * image.width + x) * 3 + 1])
                    }
                    values[row * width + column] = UInt8(sum / (steps * steps))
                }
            }
        }
        self.init(width: width, height: height, values: values)
    }

    /// Every four pixels become one.
    func halved() -> GreyPicture {
        let (columns, rows) = (max(width / 2, 1), max(height / 2, 1))
        var result = [UInt8](repeating: 0, count: columns * rows)
        for row in 0..<rows {
            for column in 0..<columns {
                let (left, top) = (column * 2, row * 2)
                let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
                let sum =
                    Int(values[top * width + left]) + Int(values[top * width + right])
                    + Int(values[bottom * width + left]) + Int(values[bottom * width + right])
                result[row * columns + column] = UInt8(sum / 4)
            }
        }
        return GreyPicture(width: columns, height: rows, values: result)
    }

    /// The mean difference in brightness where both pictures overlap, if this one moves.
    func difference(from other: GreyPicture, x: Int, y: Int) -> Double {
        let (left, right) = (max(0, -x), min(width, other.width - x))
        let (top, bottom) = (max(0, -y), min(height, other.height - y))
        guard left < right, top < bottom else { return .infinity }
        var sum = 0
        values.withUnsafeBufferPointer { mine in
            other.values.withUnsafeBufferPointer { theirs in
                for row in top..<bottom {
                    let (here, there) = (row * width, (row + y) * other.width + x)
                    for column in left..<right {
                        sum += abs(Int(mine[here + column]) - Int(theirs[there + column]))
                    }
                }
            }
        }
        return Double(sum) / Double((right - left) * (bottom - top))
    }

    /// The mean difference between a square of this picture and one of another.
    func blockDifference(_ left: Int, _ top: Int, _ side: Int, from other: GreyPicture, _ x: Int, _ y: Int)
        -> Double
    {
        var sum = 0
        values.withUnsafeBufferPointer { mine in
            other.values.withUnsafeBufferPointer { theirs in
                for row in 0..<side {
                    let (here, there) = ((top + row) * width + left, (y + row) * other.width + x)
                    for column in 0..<side {
                        sum += abs(Int(mine[here + column]) - Int(theirs[there + column]))
                    }
                }
            }
        }
        return Double(sum) / Double(side * side)
    }

    /// How much neighbouring pixels of a square differ.
    func texture(_ left: Int, _ top: Int, _ side: Int) -> Double {
        var sum = 0
        for row in top..<top + side {
            for column in left..<left + side - 1 {
                sum += abs(Int(values[row * width + column]) - Int(values[row * width + column + 1]))
            }
        }
        return Double(sum) / Double(side * (side - 1))
    }

    /// The shares of sixteen levels of brightness.
    func histogram() -> [Double] {
        var counts = [Double](repeating: 0, count: 16)
        for value in values { counts[Int(value) / 16] += 1 }
        return counts.map { $0 / Double(max(values.count, 1)) }
    }
}
