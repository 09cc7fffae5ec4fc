import Foundation
import Jersey

/// A player's motion during a sequence: a smooth function of time, in seconds from 0.
struct Motion: Sendable {
    /// A sine over time.
    private struct Wave {
        let height, speed, phase: Double

        init(_ height: Double, seconds: ClosedRange<Double>, using random: inout RandomStream) {
            self.height = height
            speed = 2 * .pi / random.uniform(seconds)
            phase = random.uniform(0...(2 * .pi))
        }

        func callAsFunction(_ time: Double) -> Double { height * sin(speed * time + phase) }
    }

    /// A turn around a moment, from one angle to another.
    private struct Turn {
        let from, to, moment, length: Double

        func callAsFunction(_ time: Double) -> Double {
            let share = ((time - moment) / length + 0.5).clamped(to: 0...1)
            return from + (to - from) * share * share * (3 - 2 * share)
        }
    }

    /// The side towards the camera: the back, the chest, or somewhere towards the front.
    enum View: Sendable { case back, chest, front }

    private let facing, lean, twist, stride, cadence, effort: Double
    private let sway, rollWave, leanWave, look: Wave
    private let turn: Turn?
    private let crouch, tumble: Double
    private let gestures: (Pose.Gesture?, Pose.Gesture?)
    private let gesture: (moment: Double, length: Double)
    /// Metres per second to the right; 0 for a player who runs straight away from the camera.
    private let speed: Double

    init(
        seconds: Double, view: View, sport: Sport, difficulty: Difficulty, using random: inout RandomStream
    ) {
        // Frame intervals vary, and so do sequence lengths; the turn or gesture must fall within
        // the sequence.
        let middle = random.uniform(0...seconds)
        effort = random.chance(0.35) ? random.uniform(0...0.25) : random.uniform(0.4...1)
        cadence = 2 * .pi * (0.7 + 0.75 * effort)
        stride = random.uniform(0...(2 * .pi))
        twist = 0.06 + 0.14 * effort
        var (lean, crouch, tumble) = (random.uniform(sport.lean) * (0.35 + 0.65 * effort), 0.0, 0.0)
        if difficulty.stunts > 0 { tumble = random.normal() * 0.08 * effort }
        if random.chance(difficulty.stunts) {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: lean += random.uniform(0.3...0.9)
            case 1: (lean, crouch) = (lean + random.uniform(0...0.6), random.uniform(0.3...0.9))
            case 2: tumble = random.normal() * 0.3
            default:
                // A fall or a dive.
                tumble = random.uniform(0.5...1.6) * (random.chance(0.5) ? 1 : -1)
                crouch = random.uniform(0...0.5)
            }
        }
        (self.lean, self.crouch, self.tumble) = (lean, crouch, tumble)
        sway = Wave(random.uniform(0.03...0.3) * difficulty.facing / 0.4, seconds: 0.8...3, using: &random)
        rollWave = Wave(random.uniform(0...0.09), seconds: 0.8...3, using: &random)
        leanWave = Wave(random.uniform(0...0.06), seconds: 0.6...2, using: &random)
        look = Wave(random.uniform(0...0.9), seconds: 1.5...5, using: &random)
        switch view {
        case .back: facing = (random.normal() * difficulty.facing).clamped(to: -1.1...1.1)
        case .chest: facing = .pi + (random.normal() * difficulty.facing).clamped(to: -1.1...1.1)
        case .front: facing = .pi + random.uniform(-1...1)
        }
        if view != .front && random.chance(difficulty.turning) {
            // Players turn away as often as they turn back.
            let side = view == .back ? facing : facing - .pi
            let far = random.uniform(0.9...2.6) * (side >= 0 ? 1 : -1)
            let (from, to) = random.chance(0.5) ? (0, far) : (far, 0)
            turn = Turn(from: from, to: to, moment: middle, length: random.uniform(0.3...1.2))
        } else {
            turn = nil
        }
        if random.chance(difficulty.gestures) {
            let one = Pose.Gesture.allCases.randomElement(using: &random)
            let other = random.chance(0.3) ? Pose.Gesture.allCases.randomElement(using: &random) : nil
            gestures = random.chance(0.5) ? (one, other) : (other, one)
        } else {
            gestures = (nil, nil)
        }
        gesture = (middle, max(0.4, seconds * random.uniform(0.3...1.5)))
        speed = effort * random.uniform(2...6)
    }

    func pose(at time: Double) -> Pose {
        var pose = Pose()
        pose.yaw = yaw(at: time)
        pose.lean = lean + leanWave(time)
        pose.roll = rollWave(time)
        pose.crouch = crouch
        pose.tumble = tumble
        pose.stride = stride + cadence * time
        pose.effort = effort
        pose.twist = twist * sin(pose.stride)
        pose.look = look(time)
        pose.time = time
        pose.gestures = gestures
        pose.gesturing = (1.6 - 2 * abs(time - gesture.moment) / gesture.length).clamped(to: 0...1)
        return pose
    }

    /// Metres per second to the right in the picture.
    func velocity(at time: Double) -> Double { -speed * sin(yaw(at: time)) }

    private func yaw(at time: Double) -> Double {
        facing + sway(time) + (turn?(time) ?? 0)
    }
}
