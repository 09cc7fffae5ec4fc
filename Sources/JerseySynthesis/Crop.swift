import Jersey

/// An area of the picture in metres, y up.
struct Crop {
    var left, top: Double
    var size: SIMD2<Double>

    /// Around points, of which only x and y count; empty without points.
    init(around points: [SIMD3<Float>]) {
        let first = points.first ?? .zero
        let low = points.reduce(first) { pointwiseMin($0, $1) }
        let high = points.reduce(first) { pointwiseMax($0, $1) }
        left = Double(low.x)
        top = Double(high.y)
        size = SIMD2(Double(high.x - low.x), Double(high.y - low.y))
    }

    mutating func shift(by way: SIMD2<Double>) {
        left += way.x
        top += way.y
    }

    /// Adds metres at the left, right, top and bottom; negative ones take away.
    mutating func grow(by margins: Edges) {
        left -= margins.left
        top += margins.top
        size.x = max(0.02, size.x + margins.left + margins.right)
        size.y = max(0.02, size.y + margins.top + margins.bottom)
    }
}

/// What a box has too much at its four edges; negative where it is cut off.
struct Edges: Sendable {
    var left, right, top, bottom: Double

    static func * (edges: Edges, size: SIMD2<Double>) -> Edges {
        Edges(
            left: edges.left * size.x, right: edges.right * size.x, top: edges.top * size.y,
            bottom: edges.bottom * size.y)
    }

    /// For boxes around whole players, relative to the player's size.
    static func body(misboxed: Double, using random: inout RandomStream) -> Edges {
        let loose = random.uniform(0...0.1)
        var edges = Edges(left: 1.5 * loose, right: 1.5 * loose, top: loose, bottom: loose)
        guard random.chance(misboxed) else { return edges }
        switch random.uniform() {
        case ..<0.2:
            // Much too large.
            edges.left += random.uniform(0.1...0.8)
            edges.right += random.uniform(0.1...0.8)
            edges.top += random.uniform(0...0.4)
            edges.bottom += random.uniform(0...0.3)
        case ..<0.35:
            let way = SIMD2(random.uniform(-0.25...0.25), random.uniform(-0.12...0.12))
            edges.left += way.x
            edges.right -= way.x
            edges.top += way.y
            edges.bottom -= way.y
        case ..<0.6: edges.bottom = -random.uniform(0.12...0.4)
        case ..<0.72: edges.bottom = -random.uniform(0.4...0.52)
        case ..<0.8: edges.left = -random.uniform(0.1...0.35)
        case ..<0.88: edges.right = -random.uniform(0.1...0.35)
        default: edges.top = -random.uniform(0.06...0.2)
        }
        return edges
    }

    /// For boxes around torsos, relative to the shirt's size.
    static func torso(misboxed: Double, using random: inout RandomStream) -> Edges {
        func some(_ range: ClosedRange<Double>) -> Double { random.uniform(range) }
        var edges = Edges(
            left: some(-0.15...0.08), right: some(-0.15...0.08), top: some(-0.14...0.05),
            bottom: some(-0.25...0.05))
        guard random.chance(misboxed) else { return edges }
        switch random.uniform() {
        case ..<0.45:
            // The upper body with the head.
            edges = Edges(
                left: some(-0.05...0.35), right: some(-0.05...0.35), top: some(0.15...0.5),
                bottom: some(-0.25...0.25))
        case ..<0.6: edges.left = some(-0.4 ... -0.15)
        case ..<0.75: edges.right = some(-0.4 ... -0.15)
        default:
            edges = Edges(
                left: some(-0.25 ... -0.1), right: some(-0.25 ... -0.1), top: some(-0.2 ... -0.05),
                bottom: some(-0.4 ... -0.2))
        }
        return edges
    }

    /// For boxes around numbers, relative to the number's height.
    static func number(_ margins: ClosedRange<Double>, using random: inout RandomStream) -> Edges {
        // Small margins are more frequent; most boxes are about centred.
        let (low, reach) = (margins.lowerBound, margins.upperBound - margins.lowerBound)
        let (across, down) = (random.uniform(), random.uniform())
        func margin(_ middle: Double) -> Double {
            let share = (middle * middle + random.normal() * 0.12).clamped(to: 0...1)
            return low + reach * share
        }
        return Edges(
            left: margin(across), right: margin(across), top: margin(down), bottom: margin(down))
    }
}
