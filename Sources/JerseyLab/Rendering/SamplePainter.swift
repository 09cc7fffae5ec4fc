import Foundation
import Jersey

/// Draws one frame: background, player, number. Units are metres; the origin is between the shoulders, y goes down.
struct SamplePainter {
    typealias Point = Canvas.Point
    typealias Colour = Canvas.Colour

    let canvas: Canvas
    let track: SampleTrack
    let pose: SamplePose

    /// `scenery` yields the same background for every frame of a sequence.
    func paint(scenery: RandomStream) {
        let size = Point(track.span * track.aspect, track.span) * pose.room
        let corner = Point(-size.x / 2, track.top) + pose.shift
        canvas.scale(Point(Double(canvas.width), Double(canvas.height)) / size)
        canvas.translate(-corner)
        paintBackground(scenery)
        canvas.scoped {
            canvas.rotate(pose.lean, around: Point(0, 0.65))
            let order: [Double] = pose.yaw > 0 ? [1, -1] : [-1, 1]  // the far side first
            paintLeg(side: order[0])
            paintLeg(side: order[1])
            paintArm(side: order[0])
            paintNeck()
            paintTorso()
            paintHead()
            paintArm(side: order[1])
        }
    }
}

// MARK: - The back of the shirt

extension SamplePainter {
    /// The torso is an elliptic cylinder; these are its half axes.
    private var halfWidth: Double { 0.215 * track.build }
    private var halfDepth: Double { 0.125 * track.build }
    /// Half of the width that the turned torso shows.
    private var reach: Double { hypot(halfWidth * cos(pose.yaw), halfDepth * sin(pose.yaw)) }

    /// Where a point of the back is seen, given its distance from the spine and its height. Points that are turned away land on the edge.
    private func onBack(_ point: Point) -> Point {
        let around = asin(max(-1, min(1, point.x / halfWidth)))
        let turn = atan2(halfDepth * sin(pose.yaw), halfWidth * cos(pose.yaw))
        let angle = max(-.pi / 2, min(.pi / 2, around + turn))
        let fold = 0.004 * sin(17 * point.y + pose.stride)
        return Point(reach * sin(angle) + fold, point.y + 0.012 * cos(angle) + 0.004 * sin(14 * point.x + pose.stride))
    }

    private func paintTorso() {
        let half: [Point] = [
            [0.06, -0.035], [0.12, -0.01], [0.185, 0.025], [0.215, 0.09], [0.205, 0.22], [0.19, 0.45], [0.2, 0.66],
        ]
        let right = half.map { Point($0.x / 0.215 * reach, $0.y) }
        let torso = [smooth(right + right.reversed().map { Point(-$0.x, $0.y) })]
        canvas.fill(torso, track.shirt)
        canvas.scoped {
            canvas.clip(to: torso)
            paintPattern()
            paintNumber()
            let edge = Colour.black.opacity(0.38)
            canvas.fill(
                torso, from: -reach, to: reach, [edge, .white.opacity(0.05), .black.opacity(0.02), .black.opacity(0.1), edge])
            for fold in 0..<4 {
                let side: Double = fold % 2 == 0 ? 1 : -1
                let y = 0.2 + 0.12 * Double(fold) + 0.02 * sin(pose.stride)
                canvas.line(Point(side * reach, y), Point(side * reach * 0.3, y + 0.1), width: 0.025, .black.opacity(0.09))
            }
        }
    }

    private func paintPattern() {
        func band(_ corners: [Point]) { canvas.fill([corners.map(onBack)], track.trim) }
        switch track.pattern {
        case .plain:
            break
        case .stripes:
            for x in stride(from: -0.2, to: 0.2, by: 0.1) { band([[x, -0.1], [x + 0.05, -0.1], [x + 0.05, 0.7], [x, 0.7]]) }
        case .hoops:
            for y in stride(from: 0.0, to: 0.7, by: 0.16) {
                band([[-0.21, y], [0.21, y], [0.21, y + 0.08], [-0.21, y + 0.08]])
            }
        case .sash:
            band([[-0.21, 0.0], [-0.1, 0.0], [0.21, 0.55], [0.21, 0.7], [0.1, 0.7]])
        }
    }

    private func paintNumber() {
        let size = Point(track.numberHeight * track.numberStretch, track.numberHeight)
        let number = track.number.map { $0.map { onBack($0 * size + Point(0, track.numberTop)) } }
        let name = track.name.map { $0.map { onBack($0 * 0.045 + Point(0, track.numberTop - 0.075)) } }
        canvas.fill(name, track.numberColour)
        if let border = track.borderColour, cos(pose.yaw) > 0.2 { canvas.stroke(number, width: 0.035, border) }
        canvas.fill(number, track.numberColour)
    }

    /// A closed Catmull-Rom curve through the points.
    private func smooth(_ points: [Point]) -> [Point] {
        points.indices.flatMap { index in
            let at = { points[(index + $0 + points.count) % points.count] }
            let (a, b, c, d) = (at(-1), at(0), at(1), at(2))
            return (0..<6).map { step in
                let t = Double(step) / 6
                let linear = (c - a) * t
                let square = (a * 2 - b * 5 + c * 4 - d) * (t * t)
                let cubic = (b * 3 - a - c * 3 + d) * (t * t * t)
                return b + (linear + square + cubic) * 0.5
            }
        }
    }
}

// MARK: - Head and limbs

extension SamplePainter {
    /// How far one step ahead of the player moves to the right in the picture.
    private var ahead: Double { -sin(pose.yaw) }

    private func paintNeck() {
        let top = Point(ahead * 0.03, -0.09)
        canvas.line(Point(0, 0), top, width: 0.105, track.skin.mixed(with: .black, 0.2))
    }

    private func paintHead() {
        let centre = Point(ahead * 0.05, -0.17)
        let collar = 0.055 * reach / halfWidth
        canvas.line(Point(-collar, -0.03), Point(collar, -0.03), width: 0.03, track.trim)
        for side in [-1.0, 1] {
            canvas.ellipse(centre + Point(side * 0.08 * cos(pose.yaw), 0.01), Point(0.018, 0.028), track.skin)
        }
        canvas.ellipse(centre, Point(0.08, 0.11), track.skin)
        canvas.ellipse(
            centre + Point(-ahead * 0.035, -0.02 - 0.01 * abs(ahead)), Point(0.083 - 0.012 * abs(ahead), 0.1), track.hair)
    }

    private func paintArm(side: Double) {
        let swing = side * sin(pose.stride) * 0.16
        let shoulder = Point(side * halfWidth * 0.86 * cos(pose.yaw), 0.07)
        let elbow = shoulder + Point(side * 0.075 * max(0.2, cos(pose.yaw)) + swing * ahead, 0.25 - 0.3 * swing * swing)
        let hand = elbow + Point(side * 0.01 + (0.1 + swing) * ahead, 0.2 - 0.15 * max(0, swing))
        let shade = track.skin.mixed(with: .black, 0.12)
        canvas.line(shoulder, elbow, hand, width: 0.075, shade)
        canvas.ellipse(hand + Point(0, 0.03), Point(0.04, 0.055), track.skin)
        let cuff = shoulder + (elbow - shoulder) * 0.72
        canvas.line(shoulder, cuff, width: 0.125, track.shirt.mixed(with: .black, 0.14))
        canvas.line(cuff, cuff, width: 0.118, track.trim)
    }

    private func paintLeg(side: Double) {
        let swing = -side * sin(pose.stride)  // 1 is the leg in front
        let hip = Point(side * 0.09 * cos(pose.yaw), 0.68)
        let knee = hip + Point(swing * 0.16 * ahead, 0.4 - 0.05 * abs(swing))
        let ankle = knee + Point(min(swing, 0) * 0.22 * ahead, 0.42 - 0.18 * max(0, -swing))
        canvas.line(hip, knee, width: 0.14, track.skin)
        canvas.line(knee, ankle, width: 0.1, track.socks)
        canvas.line(ankle, ankle + Point(0.1 * ahead + side * 0.015, 0.03), width: 0.075, Colour(0x202020))
        canvas.line(hip, hip + (knee - hip) * 0.55, width: 0.2, track.shorts.mixed(with: .black, side < 0 ? 0.06 : 0.12))
    }
}

// MARK: - Background

extension SamplePainter {
    private func paintBackground(_ scenery: RandomStream) {
        var random = scenery
        let grass = Colour(0x3B7D2A).mixed(with: Colour(0x6B9A3C), random.uniform()).mixed(with: .black, random.uniform(0...0.3))
        canvas.fill(grass)
        let mown = random.uniform(0.5...1.4)
        let first = random.uniform(-4...0) + pose.pan
        for band in 0..<8 {
            canvas.rectangle(Point(first + 2 * mown * Double(band), -2), Point(mown, 5), .black.opacity(0.1))
        }
        if random.chance(0.3) {
            let (from, to) = (random.uniform(0.2...1.6), random.uniform(0.2...1.6))
            canvas.line(Point(-3 + pose.pan, from), Point(3 + pose.pan, to), width: 0.06, .white.opacity(0.75))
        }
        let horizon = random.uniform(-1.2...0.9)
        guard horizon > track.top else { return }
        canvas.rectangle(Point(-3, -3), Point(6, 3 + horizon), Colour(0x2C2C33).mixed(with: .white, random.uniform(0...0.25)))
        for _ in 0..<140 {
            let spot = Point(random.uniform(-1.6...1.6) + pose.pan, random.uniform(-0.6...horizon))
            let colour = SampleTrack.kitColours.randomElement(using: &random)!.mixed(
                with: Colour(0x44444A), random.uniform(0.3...0.8))
            canvas.ellipse(spot, Point(random.uniform(0.03...0.09), random.uniform(0.03...0.1)), colour)
        }
        guard random.chance(0.6) else { return }
        for board in 0..<8 {
            let colour = SampleTrack.kitColours.randomElement(using: &random)!
            canvas.rectangle(Point(-2.4 + 0.6 * Double(board) + pose.pan, horizon - 0.25), Point(0.6, 0.25), colour)
        }
    }
}
