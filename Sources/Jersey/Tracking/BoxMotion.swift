/// Where a tracked box is, and how it moves: a Kalman filter with constant velocity for each of its
/// middle, width and height (Bewley et al. 2016, with the noise of Zhang et al. 2022).
///
/// The unit of time is a frame of the video, whatever number of them lies between detections.
struct BoxMotion: Sendable {
    /// A coordinate with its velocity, and their covariance.
    private struct Coordinate: Sendable {
        var value: Double
        var velocity = 0.0
        var variance: Double
        var covariance = 0.0
        var velocityVariance: Double

        mutating func predict(frames: Double, acceleration: Double) {
            value += velocity * frames
            let squared = acceleration * acceleration
            variance +=
                2 * covariance * frames + velocityVariance * frames * frames
                + squared * frames * frames * frames / 3
            covariance += velocityVariance * frames + squared * frames * frames / 2
            velocityVariance += squared * frames
        }

        mutating func correct(_ measured: Double, noise: Double) {
            let gain = variance / (variance + noise * noise)
            let velocityGain = covariance / (variance + noise * noise)
            let surprise = measured - value
            value += gain * surprise
            velocity += velocityGain * surprise
            velocityVariance -= velocityGain * covariance
            covariance *= 1 - gain
            variance *= 1 - gain
        }
    }

    private var x, y, width, height: Coordinate

    /// Noise of a measured place, and change of speed in a frame, in heights of the box.
    private static let (placeNoise, speedNoise) = (0.05, 1.0 / 160)
    /// The share of its speed that a box keeps in a frame in which it is not seen. People who are
    /// hidden seldom run on for long.
    private static let hiddenPace = 0.95

    init(_ box: Detection) {
        func coordinate(_ value: Double) -> Coordinate {
            let (place, speed) = (2 * Self.placeNoise * box.height, 10 * Self.speedNoise * box.height)
            return Coordinate(value: value, variance: place * place, velocityVariance: speed * speed)
        }
        x = coordinate(box.left + box.width / 2)
        y = coordinate(box.top + box.height / 2)
        width = coordinate(box.width)
        height = coordinate(box.height)
    }

    /// Where the box is expected now.
    var box: Detection {
        let (w, h) = (max(width.value, 1), max(height.value, 1))
        return Detection(left: x.value - w / 2, top: y.value - h / 2, width: w, height: h, score: 1)
    }

    /// Moves the box with the camera.
    mutating func move(_ camera: CameraMotion) {
        guard camera != .none else { return }
        (x.value, y.value) = camera.moved(x.value, y.value)
        (x.velocity, y.velocity) = (
            camera.scale * x.velocity - camera.roll * y.velocity,
            camera.roll * x.velocity + camera.scale * y.velocity
        )
        width.value *= camera.enlargement
        height.value *= camera.enlargement
    }

    /// - Parameter isSeen: whether it was seen at the start of this time.
    mutating func predict(frames: Int, isSeen: Bool) {
        let (time, noise) = (Double(frames), Self.speedNoise * max(height.value, 1))
        if !isSeen {
            let pace = (0..<frames).reduce(1.0) { pace, _ in pace * Self.hiddenPace }
            x.velocity *= pace
            y.velocity *= pace
            (width.velocity, height.velocity) = (0, 0)
        }
        x.predict(frames: time, acceleration: noise)
        y.predict(frames: time, acceleration: noise)
        // Sizes change slowly.
        width.predict(frames: time, acceleration: noise / 4)
        height.predict(frames: time, acceleration: noise / 4)
    }

    /// - Parameter seen: what was found of it. Unsure boxes correct less.
    mutating func correct(_ seen: Detection) {
        let noise = Self.placeNoise * max(seen.height, 1) * (2 - min(max(seen.score, 0), 1))
        x.correct(seen.left + seen.width / 2, noise: noise)
        y.correct(seen.top + seen.height / 2, noise: noise)
        width.correct(seen.width, noise: noise)
        height.correct(seen.height, noise: noise)
    }
}
