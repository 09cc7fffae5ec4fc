import Foundation
import Jersey

/// Chooses the shots of a match and follows the ball, as camera operators do.
struct MatchDirector: Sendable {
    private struct Shot {
        /// Index of the first frame.
        let start: Int
        let place: SIMD3<Double>
        /// Pixels per metre in the middle of the picture, when the centre spot is there.
        let density: Double
        /// Reach and speed of small changes of the zoom.
        let zooming: (share: Double, speed: Double, phase: Double)
    }

    private let shots: [Shot]
    private let width, height: Int
    private let rate: Double
    /// The point on the ground that is looked at, and its speed.
    private var target = SIMD2(0.0, 0.0)
    private var speed = SIMD2(0.0, 0.0)
    private var frame = 0

    /// The first frame of every shot but the first; frames count from 0.
    var cuts: [Int] { shots.dropFirst().map(\.start) }

    /// - Parameter heights: of players in the middle of the picture, in pixels; a shot has its own.
    init(
        frames: Int, cuts: Int, heights: ClosedRange<Double>, width: Int, height: Int, rate: Double,
        using random: inout RandomStream
    ) {
        (self.width, self.height, self.rate) = (width, height, rate)
        let length = Double(frames) / Double(cuts + 1)
        shots = (0...cuts).map { index in
            let jitter = index == 0 ? 0 : random.uniform(-0.3...0.3)
            let start = Int(length * (Double(index) + jitter))
            return Shot(
                start: index == 0 ? 0 : min(max(start, index), frames - 1),
                place: Self.place(isFirst: index == 0, using: &random),
                density: random.uniform(heights) / 1.75,
                zooming: (
                    random.uniform(0...0.12), random.uniform(0.2...0.6), random.uniform(0...(2 * .pi))
                ))
        }
    }

    /// High beside the pitch, beside a penalty area, low, or behind a goal.
    private static func place(isFirst: Bool, using random: inout RandomStream) -> SIMD3<Double> {
        let side = random.chance(0.5) ? 1.0 : -1
        return switch isFirst ? 0 : random.uniform() {
        case ..<0.45: [random.uniform(-8...8), random.uniform(15...26), random.uniform(62...82)]
        case ..<0.7: [side * random.uniform(22...40), random.uniform(9...18), random.uniform(55...72)]
        case ..<0.88: [random.uniform(-25...25), random.uniform(4...8), random.uniform(48...58)]
        default: [side * random.uniform(74...90), random.uniform(10...18), random.uniform(-10...25)]
        }
    }

    /// The camera of the next frame.
    mutating func next(ball: SIMD2<Double>) -> BroadcastCamera {
        let shot = shots.last { $0.start <= frame } ?? shots[0]
        // Not past the ends of the pitch, and less along the view, which shows much of it anyway.
        let wanted = SIMD2(ball.x.clamped(to: -42...42), (0.75 * ball.y).clamped(to: -20...22))
        if frame == shot.start { (target, speed) = (wanted, .zero) }
        // A spring that does not swing.
        let stiffness = 2.0
        speed += (stiffness * stiffness * (wanted - target) - 2 * stiffness * speed) / rate
        target += speed / rate
        let time = Double(frame) / rate
        frame += 1
        let point = SIMD3(target.x, 1, target.y)
        let (distance, usual) = ((point - shot.place).length, shot.place.length)
        let zoom = 1 + shot.zooming.share * sin(shot.zooming.speed * time + shot.zooming.phase)
        // Operators zoom in when play is far away, though not enough to keep its size.
        return BroadcastCamera(
            at: shot.place, towards: point,
            focal: shot.density * zoom * pow(distance, 0.6) * pow(usual, 0.4), width: width, height: height)
    }
}
