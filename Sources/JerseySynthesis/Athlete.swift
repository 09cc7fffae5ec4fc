import Foundation
import Jersey
import JerseyOutput

/// A body and its kit: the constant parts of a track.
struct Athlete: Sendable {
    let sport: Sport
    let kit: Kit
    let skin, hair: SIMD3<Float>
    /// Scales of the whole body, and of its width.
    let size, breadth: Double
    /// Hair length, from bald to a ponytail.
    let hairiness: Double
    /// Fit of the shirt; 1 is tight.
    let looseness: Double
    /// Covered share of the thighs.
    let shorts: Double
    /// Waves of the cloth: frequencies along u and v, height in metres, phase, and speed.
    let folds: [(along: Double, down: Double, height: Double, phase: Double, speed: Double)]

    init(number: String?, sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
        self.sport = sport
        kit = Kit(number: number, sport: sport, difficulty: difficulty, using: &random)
        let tones: [UInt32] = [0xF1C9A5, 0xE0AC85, 0xB97F56, 0x8A5733, 0x5A3822]
        skin = Canvas.Colour(tones.randomElement(using: &random)!).shaken(using: &random).levels
        let hairs: [UInt32] = [0x14110F, 0x1B1613, 0x2E2019, 0x5A3D28, 0xA8824F, 0xC9A66B, 0x777777]
        hair = Canvas.Colour(hairs.randomElement(using: &random)!).levels
        size = random.uniform(0.92...1.06)
        breadth = random.uniform(sport.bulk)
        hairiness = random.uniform()
        looseness = random.uniform(1...1.2)
        shorts = random.uniform(sport.shorts)
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

    // The shirt's size, in metres.
    var girth: Double { 1.02 * breadth * size * looseness.squareRoot() }
    var length: Double { 0.685 * size }
}

/// A rotation and a translation in space.
private struct Frame {
    var right = SIMD3<Double>(1, 0, 0)
    var up = SIMD3<Double>(0, 1, 0)
    var back = SIMD3<Double>(0, 0, 1)
    var origin = SIMD3<Double>(0, 0, 0)

    func callAsFunction(_ point: SIMD3<Double>) -> SIMD3<Double> { origin + way(point) }
    func way(_ way: SIMD3<Double>) -> SIMD3<Double> { right * way.x + up * way.y + back * way.z }

    /// Turns about the vertical; a positive angle moves the right side away from the camera.
    func turned(_ angle: Double) -> Frame {
        let (c, s) = (cos(angle), sin(angle))
        return Frame(right: way([c, 0, -s]), up: up, back: way([s, 0, c]), origin: origin)
    }

    func leaning(_ angle: Double) -> Frame {
        let (c, s) = (cos(angle), sin(angle))
        return Frame(right: right, up: way([0, c, -s]), back: way([0, s, c]), origin: origin)
    }

    func rolled(_ angle: Double) -> Frame {
        let (c, s) = (cos(angle), sin(angle))
        return Frame(right: way([c, -s, 0]), up: way([s, c, 0]), back: back, origin: origin)
    }
}

// MARK: - A body as tubes

extension Athlete {
    /// The body in world coordinates: feet at the pose's place, at height 0. The first tube is the
    /// shirt.
    func tubes(_ pose: Pose) -> [Tube] {
        var hips = Frame().turned(pose.yaw)
        let legs = [-1.0, 1].map { leg(side: $0, pose: pose) }
        let lowest = legs.flatMap { $0 }.map { hips.way($0).y }.min() ?? -0.9
        hips.origin = SIMD3(pose.place.x, -lowest * size, pose.place.y)
        let chest = hips.leaning(pose.lean).rolled(pose.roll)

        var tubes = [shirt(chest, pose)]
        for (side, leg) in zip([-1.0, 1], legs) {
            tubes += self.leg(side: side, joints: leg.map { hips($0 * size) })
            tubes += arm(side: side, pose: pose, chest: chest.turned(pose.twist))
        }
        tubes.append(
            tube(
                [(chest([0, 0.53, 0] * size), 0.062, skin), (chest([0, 0.66, -0.02] * size), 0.055, skin)],
                round: 10))
        tubes += head(chest, pose)
        for index in tubes.indices { tubes[index].finish() }
        return tubes
    }

    private func shirt(_ frame: Frame, _ pose: Pose) -> Tube {
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
            let (halfWidth, halfDepth) = (
                (a.1 + (b.1 - a.1) * share) * breadth, (a.2 + (b.2 - a.2) * share) * breadth
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

    // MARK: Limbs

    /// Hip, knee, ankle and toes, in the hips' frame.
    private func leg(side: Double, pose: Pose) -> [SIMD3<Double>] {
        let phase = pose.stride + (side > 0 ? 0 : .pi)
        let swing = pose.effort * 0.75 * sin(phase) + 0.12 * pose.effort + 0.25 * pose.lean
        let bend = 0.1 + pose.effort * (0.55 - 0.75 * cos(phase - 0.4)).clamped(to: 0...1.6) + 0.5 * pose.lean
        let spread = 0.05 + (1 - pose.effort) * 0.05
        let hip = SIMD3(side * 0.095 * breadth, 0, 0)
        let knee = hip + SIMD3(side * spread * 0.4, -0.43 * cos(swing), -0.43 * sin(swing))
        let ankle = knee + SIMD3(side * spread * 0.4, -0.43 * cos(swing - bend), -0.43 * sin(swing - bend))
        let toes =
            ankle
            + SIMD3(side * 0.03, -0.05 - 0.15 * max(0, bend - 0.7), -0.17 * cos(min(1.2, max(0, bend - 0.5))))
        return [hip, knee, ankle, toes]
    }

    private func leg(side: Double, joints: [SIMD3<Double>]) -> [Tube] {
        let (hip, knee, ankle, toes) = (joints[0], joints[1], joints[2], joints[3])
        let covered = shorts
        let (cloth, socks, shoes) = (kit.shorts.levels, kit.socks.levels, kit.shoes.levels)
        let hem = hip + (knee - hip) * covered
        let top = hip + SIMD3(0, 0.1 * size, 0)
        let high = knee + (ankle - knee) * 0.2
        return [
            tube(
                [
                    (top, 0.115 * breadth, cloth), (hip, 0.125 * breadth, cloth),
                    (hem, 0.105 * breadth, cloth),
                ], round: 12),
            tube(
                [(hip, 0.085, skin), (hem, 0.078, skin), (knee, 0.058, skin), (high, 0.056, skin)], round: 10),
            tube(
                [(high, 0.06, socks), (knee + (ankle - knee) * 0.4, 0.064, socks), (ankle, 0.042, socks)],
                round: 10),
            tube(
                [(ankle + (ankle - toes) * 0.25, 0.03, shoes), (ankle, 0.048, shoes), (toes, 0.03, shoes)],
                round: 8),
        ]
    }

    private func arm(side: Double, pose: Pose, chest: Frame) -> [Tube] {
        let phase = pose.stride + (side > 0 ? .pi : 0)
        // Swing forward, swing sideways, bend of the elbow, inward turn of the forearm.
        var angles = SIMD4(
            pose.effort * 0.65 * sin(phase) + 0.1, 0.16 + 0.12 * pose.effort, 0.25 + 1.1 * pose.effort,
            0.15 + 0.3 * pose.effort)
        if let gesture = side < 0 ? pose.gestures.0 : pose.gestures.1 {
            let wanted: SIMD4<Double> =
                switch gesture {
                case .raised: [2.7, 0.35, 0.3, 0]
                case .onHip: [-0.35, 0.75, 1.5, 1.35]
                case .behindBack: [-0.75, 0.15, -0.5, 1.2]
                case .pointing: [1.1, 0.8, 0.1, 0]
                case .onHead: [2.2, 0.9, 2.1, 1.4]
                }
            angles += (wanted - angles) * pose.gesturing
        }
        let shoulder = SIMD3(side * 0.185 * breadth, 0.49, 0.0)
        let (forward, away, bend, inward) = (angles[0], angles[1], angles[2], angles[3])
        let elbow =
            shoulder + 0.29 * SIMD3(side * sin(away), -cos(forward) * cos(away), -sin(forward) * cos(away))
        let down = forward + bend
        let sideways = away * 0.6 - inward
        let hand =
            elbow + 0.25 * SIMD3(side * sin(sideways), -cos(down) * cos(sideways), -sin(down) * cos(sideways))
        let tip = hand + (hand - elbow) * 0.4
        func at(_ way: Double) -> SIMD3<Double> {
            chest((way < 1 ? shoulder + (elbow - shoulder) * way : elbow + (hand - elbow) * (way - 1)) * size)
        }
        let (sleeve, cuff) = (kit.sleeves.levels, kit.cuffs.levels)
        let reach = kit.sleeveLength
        let baggy = 0.5 * (breadth + looseness)
        var tubes = [
            tube(
                [
                    (at(0), 0.06, skin), (at(0.5), 0.05, skin), (at(1), 0.042, skin), (at(1.25), 0.043, skin),
                    (at(1.95), 0.03, skin),
                ],
                round: 10),
            tube(
                [
                    (at(1.95), 0.03, skin), (chest((hand + (tip - hand) * 0.4) * size), 0.045, skin),
                    (chest(tip * size), 0.022, skin),
                ],
                round: 8),
        ]
        guard reach > 0.1 else { return tubes }
        let inner = chest(SIMD3(side * 0.13 * breadth, 0.505, 0) * size)
        var rings = [(inner, 0.05 * baggy, sleeve), (at(0), 0.088 * baggy, sleeve)]
        for step in 1...4 {
            let way = reach * 0.93 * Double(step) / 4
            rings.append((at(way), (0.088 - 0.022 * min(1, way) - 0.018 * max(0, way - 1)) * baggy, sleeve))
        }
        rings += [(at(reach * 0.935), rings.last!.1, cuff), (at(reach), rings.last!.1, cuff)]
        tubes.append(tube(rings, round: 12))
        return tubes
    }

    private func head(_ chest: Frame, _ pose: Pose) -> [Tube] {
        var frame = chest.turned(pose.look).leaning(-0.5 * pose.lean)
        frame.origin = chest([0, 0.74, -0.035] * size)
        let helmet = kit.sleeves.levels
        let cover = sport.helmets ? helmet : (hairiness < 0.12 ? skin * 0.97 : hair)
        let volume = sport.helmets ? 1.18 : 1 + 0.28 * max(0, hairiness - 0.75)
        var tubes = [
            ball(frame, at: [0, 0, 0], radii: [0.076, 0.115, 0.092], skin),
            ball(frame, at: [0, 0.025, 0.018], radii: [0.083, 0.103, 0.092] * volume, cover),
        ]
        if !sport.helmets && 0.6..<0.75 ~= hairiness {
            let swing = 0.03 * pose.effort * sin(pose.stride)
            tubes.append(
                tube(
                    [
                        (frame([0, 0.05, 0.1] * size), 0.022, hair),
                        (frame([swing, -0.06, 0.14] * size), 0.034, hair),
                        (frame([2 * swing, -0.2, 0.11] * size), 0.012, hair),
                    ], round: 8))
        }
        return tubes
    }

    private func ball(_ frame: Frame, at centre: SIMD3<Double>, radii: SIMD3<Double>, _ colour: SIMD3<Float>)
        -> Tube
    {
        let (rows, columns) = (7, 13)
        var tube = Tube(columns: columns)
        for row in 0..<rows {
            let height = Double.pi * Double(row) / Double(rows - 1)
            for column in 0..<columns {
                let angle = 2 * .pi * Double(column) / Double(columns - 1)
                let out = SIMD3(-sin(angle) * sin(height), cos(height), -cos(angle) * sin(height))
                tube.vertices.append(
                    Vertex(place: SIMD3<Float>(frame((centre + out * radii) * size)), colour: colour))
            }
        }
        return tube
    }

    /// Rings around a line through the joints.
    private func tube(_ rings: [(at: SIMD3<Double>, radius: Double, colour: SIMD3<Float>)], round: Int)
        -> Tube
    {
        var tube = Tube(columns: round + 1)
        for (index, ring) in rings.enumerated() {
            let way = rings[min(index + 1, rings.count - 1)].at - rings[max(index - 1, 0)].at
            let along = way / max((way * way).sum().squareRoot(), 1e-9)
            let helper: SIMD3<Double> = abs(along.z) < 0.9 ? [0, 0, 1] : [1, 0, 0]
            let a = cross(along, helper)
            let across = a / (a * a).sum().squareRoot()
            let other = cross(along, across)
            for column in 0...round {
                let angle = 2 * .pi * Double(column) / Double(round)
                let point = ring.at + (across * cos(angle) - other * sin(angle)) * (ring.radius * size)
                tube.vertices.append(Vertex(place: SIMD3<Float>(point), colour: ring.colour))
            }
        }
        return tube
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
