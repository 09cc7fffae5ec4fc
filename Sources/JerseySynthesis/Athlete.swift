import Foundation
import Jersey
import JerseyOutput

/// A body and its kit: the constant parts of a track.
struct Athlete: Sendable {
    typealias Colour = Canvas.Colour

    enum Prop {
        case ball(SIMD3<Float>, radius: Double)
        case stick(SIMD3<Float>)
    }

    let sport: Sport
    let kit: Kit
    let skinColour: Canvas.Colour
    let hair: SIMD3<Float>
    /// Scales of the whole body, and of its width.
    let size, breadth: Double
    /// Hair length, from bald to a ponytail.
    let hairiness: Double
    let isBearded: Bool
    /// What the right hand holds, if anything.
    let prop: Prop?
    /// Fit of the shirt; 1 is tight.
    let looseness: Double
    /// Where the patterns of cloth and skin start, so that no two players look alike.
    let grain: SIMD2<Float>
    /// Covered share of the thighs.
    let shorts: Double
    /// Waves of the cloth: frequencies along u and v, height in metres, phase, and speed.
    let folds: [(along: Double, down: Double, height: Double, phase: Double, speed: Double)]

    init(number: String?, sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
        let kit = Kit(number: number, sport: sport, difficulty: difficulty, using: &random)
        self.init(kit: kit, sport: sport, difficulty: difficulty, using: &random)
    }

    init(kit: Kit, sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
        self.sport = sport
        self.kit = kit
        let tones: [UInt32] = [0xECC0A0, 0xD9A47E, 0xB97F56, 0x8A5733, 0x5A3822, 0x3E271A]
        skinColour = Canvas.Colour(tones.randomElement(using: &random) ?? 0xB97F56).shaken(using: &random)
        let hairs: [UInt32] = [0x14110F, 0x1B1613, 0x2E2019, 0x5A3D28, 0xA8824F, 0xC9A66B, 0x777777]
        hair = Canvas.Colour(hairs.randomElement(using: &random) ?? 0x1B1613).levels
        size = random.uniform(0.92...1.06)
        breadth = random.uniform(sport.bulk)
        hairiness = sport.dresses > 0 ? random.uniform(0.5...1) : random.uniform()
        isBearded = random.chance(0.3) && sport.dresses == 0
        prop =
            random.chance(sport.stick ? 0.8 * difficulty.clutter : 0.15 * difficulty.clutter)
            ? (sport.stick
                ? .stick(random.chance(0.6) ? Palette.black.levels : Colour(0xB09060).levels)
                : .ball([0xE8E8E4, 0xC86A30, 0xD8C040].map { Colour($0).levels }[sport.ball], radius: 0.12))
            : nil
        looseness = random.uniform(sport.fit)
        shorts = random.uniform(sport.shorts)
        grain = SIMD2(Float(random.uniform(0...256)), Float(random.uniform(0...256)))
        let strength = random.uniform(difficulty.folds)
        folds = (0..<7).map { index in
            let down = random.uniform(-4...4)
            let along = random.uniform(0.5...4) * (index % 2 == 0 ? 1 : 0.4)
            return (
                along: along.rounded(), down: down,
                height: strength * 0.011 / (1 + 0.25 * hypot(along, down)),
                phase: random.uniform(0...(2 * .pi)), speed: random.uniform(-5...5)
            )
        }
    }

    var skin: SIMD3<Float> { skinColour.levels }

    // The shirt's size, in metres.
    var girth: Double { 1.02 * breadth * size * looseness.squareRoot() }
    var length: Double { 0.685 * size }
}

/// A rotation and a translation in space.
struct BodyFrame {
    var right = SIMD3<Double>(1, 0, 0)
    var up = SIMD3<Double>(0, 1, 0)
    var back = SIMD3<Double>(0, 0, 1)
    var origin = SIMD3<Double>(0, 0, 0)

    func callAsFunction(_ point: SIMD3<Double>) -> SIMD3<Double> { origin + way(point) }
    func way(_ way: SIMD3<Double>) -> SIMD3<Double> { right * way.x + up * way.y + back * way.z }

    /// Turns about the vertical; a positive angle moves the right side away from the camera.
    func turned(_ angle: Double) -> BodyFrame {
        let (c, s) = (cos(angle), sin(angle))
        return BodyFrame(right: way([c, 0, -s]), up: up, back: way([s, 0, c]), origin: origin)
    }

    func leaning(_ angle: Double) -> BodyFrame {
        let (c, s) = (cos(angle), sin(angle))
        return BodyFrame(right: right, up: way([0, c, -s]), back: way([0, s, c]), origin: origin)
    }

    func rolled(_ angle: Double) -> BodyFrame {
        let (c, s) = (cos(angle), sin(angle))
        return BodyFrame(right: way([c, -s, 0]), up: way([s, c, 0]), back: back, origin: origin)
    }
}

// MARK: - A body as tubes

extension Athlete {
    /// The body in world coordinates: feet at the pose's place, at height 0. The first tube is the
    /// shirt.
    func tubes(_ pose: Pose) -> [Tube] {
        var hips = BodyFrame().rolled(pose.tumble).turned(pose.yaw)
        let legs = [-1.0, 1].map { leg(side: $0, pose: pose) }
        let shoulders = hips.leaning(pose.lean)
        // The lowest of feet and, in a fall, shoulders and hips touches the ground.
        let points =
            legs.flatMap { $0 }.map { hips.way($0).y }
            + [-0.2, 0.2].flatMap { [shoulders.way([$0, 0.5, 0]).y - 0.1, hips.way([$0, 0, 0]).y - 0.1] }
        let lowest = points.min() ?? -0.9
        hips.origin = SIMD3(pose.place.x, -lowest * size, pose.place.y)
        let chest = hips.leaning(pose.lean).rolled(pose.roll)

        var tubes = [shirt(chest, pose)]
        for (side, leg) in zip([-1.0, 1], legs) {
            let joints = leg.map { hips($0 * size) }
            tubes += self.leg(side: side, joints: joints)
            if kit.hasShortsNumber && side > 0 {
                let way = (joints[1] - joints[0]) * shorts
                tubes += patch(
                    from: joints[0] + way * 0.35,
                    to: joints[0] + way * 0.35 + way * min(0.5, 0.1 / way.length),
                    radius: 0.116 * breadth * size, outward: hips.way([0.2, 0, -1]))
            }
            tubes += arm(side: side, pose: pose, chest: chest.turned(pose.twist))
        }
        tubes.append(
            tube(
                [(chest([0, 0.53, 0] * size), 0.062, skin), (chest([0, 0.66, -0.02] * size), 0.055, skin)],
                round: 10))
        tubes += head(chest, pose)
        if kit.isDress { tubes.append(skirt(hips, pose)) }
        for index in tubes.indices { tubes[index].finish() }
        return tubes
    }

    private func shirt(_ frame: BodyFrame, _ pose: Pose) -> Tube {
        // Height above the hips, half width, half depth.
        let profile: [(Double, Double, Double)] = [
            (0.585, 0.066, 0.066), (0.565, 0.1, 0.078), (0.54, 0.152, 0.092), (0.505, 0.192, 0.106),
            (0.44, 0.204, 0.124),
            (0.34, 0.2, 0.134), (0.2, 0.185 * looseness, 0.124 * looseness),
            (0.06, 0.182 * looseness, 0.124 * looseness),
            (-0.1, 0.195 * looseness, 0.138 * looseness),
        ]
        let (rows, columns) = (26, 45)
        let angles = Self.evenAngles(columns)
        var tube = Tube(columns: columns, isShirt: true)
        tube.vertices.reserveCapacity(rows * columns)
        let sway = pose.effort * 0.018
        for row in 0..<rows {
            let v = Double(row) / Double(rows - 1)
            let y = 0.585 - 0.685 * v
            let upper = profile.lastIndex { $0.0 >= y - 1e-9 } ?? 0
            let (a, b) = (profile[upper], profile[min(upper + 1, profile.count - 1)])
            let share = a.0 == b.0 ? 0 : (a.0 - y) / (a.0 - b.0)
            // Pads broaden the shoulders, which then end abruptly.
            let pads = sport.pads * (0.2 * ((y - 0.25) / 0.2).clamped(to: 0...1))
            let (halfWidth, halfDepth) = (
                (a.1 + (b.1 - a.1) * share) * breadth + pads,
                (a.2 + (b.2 - a.2) * share) * breadth + 0.5 * pads
            )
            let twisted = frame.turned(pose.twist * max(0, min(1, y / 0.45)))
            // Cloth is fixed at the shoulders and hangs freely at the hem.
            let freedom = 0.25 + 0.9 * v
            let lag = SIMD3(sway * v * sin(pose.stride - 0.9), 0, sway * v * cos(pose.stride * 2))
            for column in 0..<columns {
                let u = Double(column) / Double(columns - 1)
                let (sine, cosine) = angles[column]
                // Backs are flatter than an ellipse.
                let out = SIMD3(-halfWidth * sine.signedPower(0.88), y, -halfDepth * cosine.signedPower(0.8))
                var (bump, shift) = (0.0, 0.0)
                for fold in folds {
                    let angle =
                        2 * .pi * (fold.along * u + fold.down * v) + fold.phase + fold.speed * pose.time
                    // Cloth has sharp ridges and wide valleys.
                    let wave = 0.5 + 0.5 * sin(angle)
                    bump += fold.height * (2.4 * wave * wave * wave - 0.9)
                    shift += fold.height * cos(angle)
                }
                let along = SIMD3(-cosine, 0, sine)
                let point =
                    out + SIMD3(-sine, 0, -cosine) * (bump * freedom) + along * (0.9 * shift * freedom)
                tube.vertices.append(
                    Vertex(
                        place: SIMD3<Float>(twisted((point + lag) * size)), colour: .zero,
                        texture: SIMD2(Float(u), Float(v))))
            }
        }
        return tube
    }

    /// Sine and cosine of angles for evenly spaced points around the waist; both ends are at the
    /// chest.
    private static func evenAngles(_ count: Int) -> [(Double, Double)] {
        let steps = 720
        var lengths = [0.0]
        func point(_ step: Int) -> SIMD2<Double> {
            let angle = 2 * .pi * Double(step) / Double(steps)
            return SIMD2(-0.2 * sin(angle).signedPower(0.88), -0.13 * cos(angle).signedPower(0.8))
        }
        for step in 1...steps { lengths.append(lengths[step - 1] + (point(step) - point(step - 1)).length) }
        var step = 0
        return (0..<count).map { index in
            let wanted = lengths[steps] * Double(index) / Double(count - 1)
            while step < steps && lengths[step] < wanted - 1e-9 { step += 1 }
            let angle = 2 * .pi * Double(step) / Double(steps)
            return (sin(angle), cos(angle))
        }
    }
}

extension Double {
    fileprivate func signedPower(_ exponent: Double) -> Double {
        self < 0 ? -pow(-self, exponent) : pow(self, exponent)
    }

    func clamped(to range: ClosedRange<Double>) -> Double {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
