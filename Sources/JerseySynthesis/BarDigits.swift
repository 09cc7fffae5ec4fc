import Foundation
import Jersey
import JerseyOutput

/// Digits made of straight bars, with cut or rounded corners, upright or slanted, narrow or wide,
/// with or without serifs.
struct BarDigits: Sendable {
    typealias Point = Canvas.Point

    /// All relative to a digit's height: its width, the bars' thickness, the cut at corners, the
    /// slant, and the gap between digits.
    var width, thickness, cut, slant, gap: Double
    /// Length of the slabs at free ends, relative to the thickness; 0 for none.
    var serif: Double
    /// Corners of the joints: 8 look cut, more look round.
    var roundness: Int
    /// Widths of the digits, relative to `width`.
    var widths: [Double]
    private var shapes: [[[Point]]]

    init(using random: inout RandomStream) {
        let width = random.uniform(0.36...0.72)
        self.width = width
        // Keeps the holes of an 8 open.
        thickness = random.uniform(0.1...min(0.24, 0.38 * width))
        cut = random.uniform(0.02...0.2)
        slant = random.chance(0.2) ? random.uniform(0.05...0.22) : 0
        gap = random.uniform(0.04...0.14)
        serif = random.chance(0.35) ? random.uniform(1.5...2.1) : 0
        roundness = random.chance(0.5) ? 8 : 16
        widths = (0..<10).map { _ in random.uniform(0.92...1.08) }
        shapes = Self.strokes
        func either(_ digit: Int, _ strokes: [[Point]], _ share: Double) {
            if random.chance(share) { shapes[digit] = strokes }
        }
        // A level flag makes a 1 look like a 7 with a straight stem.
        let flag =
            random.chance(0.3)
            ? Point(random.uniform(0...0.4), 0)
            : Point(random.uniform(-0.1...0.3), random.uniform(0.08...0.3))
        shapes[1] = [[flag, [0.6, 0], [0.6, 1]]]
        either(1, [[flag, [0.5, 0], [0.5, 1]], [[0.05, 1], [0.95, 1]]], 0.3)
        either(1, [[[0.5, 0], [0.5, 1]]], 0.25)
        let isBar = shapes[1] == [[[0.5, 0], [0.5, 1]]]
        widths[1] = isBar ? thickness / width + 0.001 : random.uniform(0.6...0.95)
        either(2, [[[0, 0.18], [0, 0], [1, 0], [1, 0.38], [0, 1], [1, 1]]], 0.4)
        either(3, [[[0, 0], [1, 0], [0.45, 0.4], [1, 0.52], [1, 1], [0, 1], [0, 0.86]]], 0.15)
        // Crossing of the bars of a 4.
        let crossing = Point(random.uniform(0.66...0.92), random.uniform(0.6...0.8))
        shapes[4] = [
            [[crossing.x, 1], [crossing.x, 0]], [[crossing.x, 0], [0, crossing.y], [1, crossing.y]],
        ]
        either(
            4, [[[0, 0], [0, crossing.y], [1, crossing.y]], [[crossing.x, 0.35], [crossing.x, 1]]], 0.25)
        either(
            4, [[[0, 0], [0, crossing.y], [1, crossing.y]], [[crossing.x, 0], [crossing.x, 1]]], 0.2)
        let tail: [Point] = [[0.8, 0], [0, 0.55], [0, 1], [1, 1], [1, 0.5], [0.08, 0.5]]
        if random.chance(0.2) {
            shapes[6] = [tail]
            shapes[9] = [tail.map { Point(1, 1) - $0 }]
        }
        either(7, [[[0, 0], [1, 0], [1, 0.22], [0.5, 0.6], [0.42, 1]]], 0.3)
        either(7, [[[0, 0], [1, 0], [1, 1]]], 0.1)
        either(7, [[[0, 0.14], [0, 0], [1, 0], [0.35, 1]]], 0.2)
    }

    func outline(of number: String) -> Canvas.Outline {
        let digits = number.compactMap(\.wholeNumberValue)
        let total = digits.reduce(0) { $0 + width * widths[$1] } + gap * Double(digits.count - 1)
        var left = -total / 2
        return digits.flatMap { digit in
            let width = self.width * widths[digit]
            defer { left += width + gap }
            let strokes = shapes[digit]
            return strokes.flatMap { outline(along: $0, left: left, width: width) }
                + slabs(of: strokes, left: left, width: width)
        }
    }

    private func placed(_ point: Point, left: Double, width: Double) -> Point {
        point * Point(width - thickness, 1 - thickness) + Point(left + thickness / 2, thickness / 2)
    }

    /// Each bar and each joint is its own contour. All have the same orientation, so that together
    /// they fill one shape.
    private func outline(along stroke: [Point], left: Double, width: Double) -> Canvas.Outline {
        let points = rounded(stroke.map { placed($0, left: left, width: width) })
        let half = thickness / 2
        var contours: Canvas.Outline = []
        for (index, (from, to)) in zip(points, points.dropFirst()).enumerated() {
            let along = (to - from) / max((to - from).length, 1e-9) * half
            let across = Point(-along.y, along.x)
            let start = index == 0 ? from - along : from
            let end = index == points.count - 2 ? to + along : to
            contours.append([start + across, start - across, end - across, end + across])
            guard index > 0 else { continue }
            let turn = Double.pi / Double(roundness)
            contours.append(
                (0..<roundness).reversed().map { corner in
                    let angle = 2 * .pi * Double(corner) / Double(roundness) + turn
                    return from + Point(cos(angle), sin(angle)) * (half / cos(turn))
                })
        }
        return contours.map(finished)
    }

    /// Serifs: short bars across the free ends.
    private func slabs(of strokes: [[Point]], left: Double, width: Double) -> Canvas.Outline {
        guard serif > 0 else { return [] }
        let ends = strokes.flatMap { [($0[0], $0[1]), ($0[$0.count - 1], $0[$0.count - 2])] }
        return ends.filter { end in strokes.allSatisfy { !Self.touches(end.0, $0) } }.map { end, before in
            let (tip, root) = (
                placed(end, left: left, width: width), placed(before, left: left, width: width)
            )
            let along = (tip - root) / max((tip - root).length, 1e-9) * thickness
            let across = Point(-along.y, along.x) * (serif / 2)
            let (outer, inner) = (tip + along * 0.5, tip - along * 0.05)
            let corners = [outer + across, outer - across, inner - across, inner + across]
            return finished(corners.map { Point($0.x, $0.y.clamped(to: 0...1)) })
        }
    }

    /// Whether a stroke passes through a point other than by ending there alone.
    private static func touches(_ point: Point, _ stroke: [Point]) -> Bool {
        var meetings = 0
        for (from, to) in zip(stroke, stroke.dropFirst()) {
            let way = to - from
            let share = (((point - from) * way).sum() / max((way * way).sum(), 1e-9)).clamped(to: 0...1)
            if (from + way * share - point).length < 0.02 { meetings += 1 }
        }
        let isOwnEnd = point == stroke[0] || point == stroke[stroke.count - 1]
        return meetings > (isOwnEnd ? 1 : 0)
    }

    private func finished(_ contour: [Point]) -> [Point] {
        let leaning = contour.map { Point($0.x + (0.5 - $0.y) * slant, $0.y) }
        return leaning.signedArea < 0 ? leaning.reversed() : leaning
    }

    private func rounded(_ stroke: [Point]) -> [Point] {
        stroke.indices.flatMap { index in
            guard index > 0, index < stroke.count - 1 else { return [stroke[index]] }
            return [stroke[index - 1], stroke[index + 1]].map { neighbour in
                let way = neighbour - stroke[index]
                return stroke[index] + way * min(0.45, cut / max(way.length, 1e-9))
            }
        }
    }

    /// Centre lines of a digit's bars, in a unit square.
    private static let strokes: [[[Point]]] = [
        [[[0.5, 0], [1, 0], [1, 1], [0, 1], [0, 0], [0.5, 0]]],
        [[[0.15, 0.16], [0.55, 0], [0.55, 1]]],
        [[[0, 0.18], [0, 0], [1, 0], [1, 0.48], [0, 0.7], [0, 1], [1, 1]]],
        [
            [[0, 0.1], [0, 0], [1, 0], [1, 0.47], [0.4, 0.47]],
            [[0.4, 0.47], [1, 0.47], [1, 1], [0, 1], [0, 0.88]],
        ],
        [[[0.75, 1], [0.75, 0]], [[0.75, 0], [0, 0.7], [1, 0.7]]],
        [[[1, 0], [0, 0], [0, 0.45], [1, 0.45], [1, 1], [0, 1], [0, 0.88]]],
        [[[1, 0.12], [1, 0], [0, 0], [0, 1], [1, 1], [1, 0.45], [0, 0.45]]],
        [[[0, 0], [1, 0], [0.35, 1]]],
        [
            [[0.5, 0.47], [1, 0.47], [1, 0], [0, 0], [0, 0.47], [0.5, 0.47]],
            [[0.5, 0.47], [1, 0.47], [1, 1], [0, 1], [0, 0.47], [0.5, 0.47]],
        ],
        [[[0, 0.88], [0, 1], [1, 1], [1, 0], [0, 0], [0, 0.55], [1, 0.55]]],
    ]
}

extension [Canvas.Point] {
    /// Twice the area; positive if the points run clockwise in the picture.
    var signedArea: Double {
        indices.reduce(0) { sum, index in
            let (a, b) = (self[index], self[(index + 1) % count])
            return sum + a.x * b.y - b.x * a.y
        }
    }
}

extension SIMD2<Double> {
    var length: Double { (self * self).sum().squareRoot() }
}

extension SIMD3<Double> {
    var length: Double { (self * self).sum().squareRoot() }
}
