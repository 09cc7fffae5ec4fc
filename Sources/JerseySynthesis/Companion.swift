import Jersey

/// Another player nearby, who stands beside the first or walks past, in front or behind.
struct Companion: Sendable {
    let athlete: Athlete
    let shirt: ShirtTexture

    /// Where the other player is during a sequence.
    struct Walk {
        private let motion: Motion
        private let start, speed, depth, moment: Double

        init(seconds: Double, sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
            motion = Motion(
                seconds: seconds, view: random.chance(0.5) ? .back : .front, sport: sport,
                difficulty: difficulty, using: &random)
            moment = random.uniform(0...seconds)
            if random.chance(0.4) {
                start = random.uniform(-0.7...0.7)
                speed = random.uniform(0.2...1.6) * (random.chance(0.5) ? 1 : -1)
                depth = random.uniform(0.4...1.1) * (random.chance(0.5) ? 1 : -1)
            } else {
                start = random.uniform(0.35...0.9) * (random.chance(0.5) ? 1 : -1)
                speed = random.normal() * 0.1
                depth = random.uniform(0.1...0.9) * (random.chance(0.5) ? 1 : -1)
            }
        }

        func pose(at time: Double) -> Pose {
            var pose = motion.pose(at: time)
            pose.place = SIMD2(start + speed * (time - moment), depth)
            return pose
        }
    }
}
