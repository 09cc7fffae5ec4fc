import Foundation

// MARK: - Limbs, head and skirt

extension Athlete {
    /// Hip, knee, ankle and toes, in the hips' frame.
    func leg(side: Double, pose: Pose) -> [SIMD3<Double>] {
        let phase = pose.stride + (side > 0 ? 0 : .pi)
        let swing =
            pose.effort * 0.75 * sin(phase) + 0.12 * pose.effort + 0.25 * pose.lean + 1.1 * pose.crouch
        let bend =
            0.1 + pose.effort * (0.55 - 0.75 * cos(phase - 0.4)).clamped(to: 0...1.6) + 0.5 * pose.lean
            + 1.9 * pose.crouch
        let spread = 0.05 + (1 - pose.effort) * 0.05
        let hip = SIMD3(side * 0.095 * breadth, 0, 0)
        let knee = hip + SIMD3(side * spread * 0.4, -0.43 * cos(swing), -0.43 * sin(swing))
        let ankle = knee + SIMD3(side * spread * 0.4, -0.43 * cos(swing - bend), -0.43 * sin(swing - bend))
        let toes =
            ankle
            + SIMD3(side * 0.03, -0.05 - 0.15 * max(0, bend - 0.7), -0.17 * cos(min(1.2, max(0, bend - 0.5))))
        return [hip, knee, ankle, toes]
    }

    func leg(side: Double, joints: [SIMD3<Double>]) -> [Tube] {
        let (hip, knee, ankle, toes) = (joints[0], joints[1], joints[2], joints[3])
        let covered = shorts
        let (cloth, socks, shoes) = (kit.shorts.levels, kit.socks.levels, kit.shoes.levels)
        let (hemBand, sockBand) = (kit.shortsBand.levels, kit.sockBand.levels)
        let hem = hip + (knee - hip) * covered
        let top = hip + SIMD3(0, 0.05 * size, 0)
        let high = knee + (ankle - knee) * 0.2
        return [
            tube(
                [
                    (top, 0.08 * breadth, cloth), (hip, 0.105 * breadth, cloth),
                    (hip + (hem - hip) * 0.5, 0.112 * breadth, cloth),
                    (hip + (hem - hip) * 0.86, 0.107 * breadth, cloth),
                    (hip + (hem - hip) * 0.89, 0.106 * breadth, hemBand), (hem, 0.105 * breadth, hemBand),
                ], round: 12),
            tube(
                [(hip, 0.085, skin), (hem, 0.078, skin), (knee, 0.058, skin), (high, 0.056, skin)], round: 10),
            tube(
                [
                    (high, 0.06, sockBand), (knee + (ankle - knee) * 0.3, 0.063, sockBand),
                    (knee + (ankle - knee) * 0.32, 0.063, socks), (knee + (ankle - knee) * 0.4, 0.064, socks),
                    (ankle, 0.042, socks),
                ], round: 10),
            tube(
                [(ankle + (ankle - toes) * 0.25, 0.03, shoes), (ankle, 0.048, shoes), (toes, 0.03, shoes)],
                round: 8),
        ]
    }

    func arm(side: Double, pose: Pose, chest: BodyFrame) -> [Tube] {
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
                case .folded: [0.45, 0.25, 1.3, 1.4]
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
        let (sleeve, cuff, glove) = (kit.sleeves.levels, kit.cuffs.levels, kit.gloves?.levels ?? skin)
        let bulk = kit.gloves == nil ? 1 : 1.5
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
                    (at(1.9), 0.03 * bulk, glove),
                    (chest((hand + (tip - hand) * 0.4) * size), 0.045 * bulk, glove),
                    (chest(tip * size), 0.022 * bulk, glove),
                ],
                round: 8),
        ]
        if let prop, side > 0 {
            var thing = held(prop, hand: hand, tip: tip, chest: chest)
            thing.isProp = true
            tubes.append(thing)
        }
        guard reach > 0.1 else { return tubes }
        let inner = chest(SIMD3(side * 0.13 * breadth, 0.505, 0) * size)
        var rings = [(inner, 0.05 * baggy, sleeve), (at(0), 0.088 * baggy, sleeve)]
        for step in 1...4 {
            let way = reach * 0.93 * Double(step) / 4
            rings.append((at(way), (0.088 - 0.022 * min(1, way) - 0.018 * max(0, way - 1)) * baggy, sleeve))
        }
        rings += [(at(reach * 0.935), rings.last!.1, cuff), (at(reach), rings.last!.1, cuff)]
        tubes.append(tube(rings, round: 12))
        if kit.hasSleeveNumber {
            tubes += patch(
                from: at(0.15), to: at(0.52), radius: 0.093 * baggy * size, outward: chest.way([side, 0, 0]))
        }
        return tubes
    }

    /// The back's number again, smaller, around a limb; nothing if there is none.
    ///
    /// - Parameters:
    ///   - top: the limb's middle at the number's upper edge; `bottom` at its lower edge.
    ///   - outward: where the number faces.
    func patch(from top: SIMD3<Double>, to bottom: SIMD3<Double>, radius: Double, outward: SIMD3<Double>)
        -> [Tube]
    {
        guard kit.back != nil else { return [] }
        let area = kit.area(onChest: false)
        let down = bottom - top
        let along = down / max(down.length, 1e-9)
        let straight = outward - along * (outward * along).sum()
        let out = straight / max(straight.length, 1e-9)
        let right = cross(-along, out)
        let turn = min(1.2, down.length * area.size.x / area.size.y / radius) / 2
        var tube = Tube(columns: 7, isShirt: true, isPatch: true)
        for row in 0..<3 {
            for column in 0..<7 {
                let (across, below) = (Double(column) / 6, Double(row) / 2)
                let angle = turn * (2 * across - 1)
                let normal = out * cos(angle) + right * sin(angle)
                let place = area.origin + area.size * SIMD2(across, below)
                tube.vertices.append(
                    Vertex(
                        place: SIMD3<Float>(top + down * below + normal * radius),
                        normal: SIMD3<Float>(normal), colour: .zero,
                        texture: SIMD2(Float(0.5 + place.x / girth), Float(place.y / length))))
            }
        }
        return [tube]
    }

    /// What the right hand holds, which may hide a number.
    private func held(_ prop: Prop, hand: SIMD3<Double>, tip: SIMD3<Double>, chest: BodyFrame) -> Tube {
        switch prop {
        case .ball(let colour, let radius):
            let middle = tip + (tip - hand) * 0.5
            return ball(chest, at: middle, radii: .init(repeating: radius)) { out in
                // Seams, or the panels of a ball.
                abs(out.x) < 0.3 || abs(out.y) < 0.3 ? colour * 0.75 : colour
            }
        case .stick(let colour):
            let end = hand + SIMD3(-0.35, -0.7, -0.5)
            return tube(
                [
                    (chest((hand - (end - hand) * 0.3) * size), 0.017, colour),
                    (chest(end * size), 0.017, colour),
                    (chest((end + SIMD3(-0.25, 0.02, -0.1)) * size), 0.03, colour),
                ], round: 6)
        }
    }

    /// The lower part of a dress.
    func skirt(_ hips: BodyFrame, _ pose: Pose) -> Tube {
        let sway = 0.05 * pose.effort * sin(pose.stride)
        let (cloth, hem) = (kit.shirt.levels, kit.cuffs.levels)
        return tube(
            [
                (hips([0, 0.08, 0] * size), 0.165 * breadth, cloth),
                (hips([sway * 0.5, -0.12, 0] * size), 0.205 * breadth, cloth),
                (hips([sway, -0.3, 0] * size), 0.24 * breadth, cloth),
                (hips([sway, -0.33, 0] * size), 0.245 * breadth, hem),
            ], round: 14)
    }

    func head(_ chest: BodyFrame, _ pose: Pose) -> [Tube] {
        var frame = chest.turned(pose.look).leaning(-0.5 * pose.lean)
        frame.origin = chest([0, 0.74, -0.035] * size)
        let helmet = kit.sleeves.levels
        let cover = sport.helmets ? helmet : (hairiness < 0.12 ? skin * 0.97 : hair)
        let volume = sport.helmets ? 1.18 : 1 + 0.28 * max(0, hairiness - 0.75)
        var tubes = [
            ball(frame, at: [0, 0, 0], radii: [0.076, 0.115, 0.092], colour: face),
            ball(frame, at: [0, 0.025, 0.018], radii: [0.083, 0.103, 0.092] * volume) { _ in cover },
        ]
        if !sport.helmets && 0.6..<0.75 ~= hairiness {
            let swing = 0.03 * pose.effort * sin(pose.stride)
            // A ponytail or open hair, which may reach the number.
            let length = 0.12 + 0.3 * (hairiness - 0.6) / 0.15
            let width = hairiness > 0.68 ? 0.05 : 0.034
            tubes.append(
                tube(
                    [
                        (frame([0, 0.05, 0.1] * size), 0.022, hair),
                        (frame([swing, -0.06, 0.14] * size), width, hair),
                        (frame([1.5 * swing, 0.05 - 0.8 * length, 0.15] * size), width, hair),
                        (frame([2 * swing, 0.05 - length, 0.14] * size), 0.012, hair),
                    ], round: 8))
        }
        return tubes
    }

    /// The colour of the head by direction: eyes and mouth, perhaps a beard or the cage of a helmet.
    private func face(_ out: SIMD3<Double>) -> SIMD3<Float> {
        guard out.z < -0.4 else { return skin }
        if sport.helmets { return skin * (abs(out.y) < 0.5 ? 0.45 : 0.7) }
        if abs(out.y - 0.2) < 0.16 { return skin * 0.62 }
        if out.y < -0.2 && isBearded { return hair * 0.6 + skin * 0.4 }
        return abs(out.y + 0.45) < 0.12 ? skin * 0.78 : skin
    }

    /// - Parameter colour: by the direction from the centre; the face looks along negative z.
    private func ball(
        _ frame: BodyFrame, at centre: SIMD3<Double>, radii: SIMD3<Double>,
        colour: (SIMD3<Double>) -> SIMD3<Float>
    ) -> Tube {
        let (rows, columns) = (9, 15)
        var tube = Tube(columns: columns)
        for row in 0..<rows {
            let height = Double.pi * Double(row) / Double(rows - 1)
            for column in 0..<columns {
                let angle = 2 * .pi * Double(column) / Double(columns - 1)
                let out = SIMD3(-sin(angle) * sin(height), cos(height), -cos(angle) * sin(height))
                tube.vertices.append(
                    Vertex(place: SIMD3<Float>(frame((centre + out * radii) * size)), colour: colour(out)))
            }
        }
        return tube
    }

    /// Rings around a line through the joints.
    func tube(_ rings: [(at: SIMD3<Double>, radius: Double, colour: SIMD3<Float>)], round: Int)
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
