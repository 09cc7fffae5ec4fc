import Foundation
import Jersey
import JerseyOutput

/// A rendered video of running players, with the boxes of a perfect tracker, for trying out videos.
package struct SyntheticVideo: Sendable, Equatable {
    /// One player per number.
    package var numbers: [JerseyNumber]
    package var frames: Int
    package var seed: UInt64
    package var width = 960
    package var height = 540
    package var rate = 25.0
    /// Whether numbers are as hard to read as in a match: players turn, hide each other, come nearer
    /// and go away. Otherwise they show their backs at one size.
    package var isMatch = false

    package init(numbers: [JerseyNumber], frames: Int, seed: UInt64) {
        self.numbers = numbers
        self.frames = frames
        self.seed = seed
    }

    /// Writes the video, and its boxes as MOT text.
    ///
    /// - Parameter progress: called after each frame.
    /// - Throws: `FileError` if a file cannot be written.
    package func write(_ film: String, boxes: String, progress: () -> Void = {}) throws {
        let writer = try VideoWriter(film, width: width, height: height, rate: rate)
        let players = try numbers.indices.map(player)
        var rows = ""
        for frame in 0..<frames {
            let canvas = Canvas(width: width, height: height)
            paintPitch(on: canvas)
            // Draw from far to near.
            let order = players.indices.sorted { players[$0].depth(frame) < players[$1].depth(frame) }
            for track in order {
                let player = players[track]
                let picture = player.picture(frame)
                let size = player.size(frame)
                let place = player.place(frame, width: width, height: height)
                canvas.scoped {
                    if player.isOutlined { canvas.clip(to: Self.silhouette(at: place, size)) }
                    canvas.draw(Canvas(picture), at: place, size: size)
                }
                rows +=
                    "\(frame + 1),\(track + 1),\(Int(place.x)),\(Int(place.y)),\(Int(size.x)),\(Int(size.y)),1,-1,-1,-1\n"
            }
            try writer.add(canvas.image, time: Double(frame) / rate)
            progress()
        }
        try writer.finish()
        try AtomicFile.write(Data(rows.utf8), to: URL(fileURLWithPath: boxes))
    }

    /// Roughly the part of a box that a player fills, so that what is behind shows beside.
    private static func silhouette(at place: Canvas.Point, _ size: Canvas.Point) -> Canvas.Outline {
        let corners: [Canvas.Point] = [
            [0.35, 0], [0.65, 0], [0.7, 0.14], [0.95, 0.22], [1, 0.5], [0.9, 1], [0.1, 1], [0, 0.5],
            [0.05, 0.22], [0.3, 0.14],
        ]
        return [corners.map { place + $0 * size }]
    }

    private struct Player {
        let pictures: [RGBImage]
        let middleDepth, phase, speed, centre: Double
        /// How far the player comes nearer and goes away, as a share of the pitch.
        let approach: Double
        /// The heights of players who are farthest and nearest, in pixels; nil leaves the pictures'.
        let heights: ClosedRange<Double>?

        var isOutlined: Bool { heights != nil }

        /// Plays the pictures back and forth, so that a long video needs few of them.
        func picture(_ frame: Int) -> RGBImage {
            let period = max(2 * pictures.count - 2, 1)
            let place = frame % period
            return pictures[place < pictures.count ? place : period - place]
        }

        /// From 0, the far side of the pitch, to 1.
        func depth(_ frame: Int) -> Double {
            let way = approach * sin(2 * phase + 0.6 * speed * Double(frame))
            return min(max(middleDepth + way, 0), 1)
        }

        /// In whole pixels.
        func size(_ frame: Int) -> Canvas.Point {
            let picture = picture(frame)
            let size = Canvas.Point(Double(picture.width), Double(picture.height))
            guard let heights else { return size }
            let height = heights.lowerBound + depth(frame) * (heights.upperBound - heights.lowerBound)
            return (size * height / heights.upperBound).rounded(.up)
        }

        /// The upper left corner. At the ends of their path, players are half outside the picture.
        func place(_ frame: Int, width: Int, height: Int) -> Canvas.Point {
            let size = size(frame)
            let x = centre + 0.5 * sin(phase + speed * Double(frame))
            let y = 0.15 + 0.8 * depth(frame)
            return [
                (x * Double(width) - size.x / 2).rounded(), (y * Double(height) - size.y / 2).rounded(),
            ]
        }
    }

    private func player(_ index: Int) throws -> Player {
        var random = RandomStream(seed, UInt64(index), 0, .max)
        return Player(
            pictures: try isMatch ? turningPictures(index) : pictures(index, sequence: 0),
            middleDepth: (Double(index) + 0.5) / Double(numbers.count),
            phase: random.uniform(0...(2 * .pi)),
            speed: random.uniform(0.01...0.03), centre: random.uniform(0.4...0.6),
            approach: isMatch ? random.uniform(0.1...0.4) : 0, heights: isMatch ? Self.matchHeights : nil)
    }

    /// Pictures of a player who shows the back in one half of the stretches, and the front in the
    /// other.
    private func turningPictures(_ index: Int) throws -> [RGBImage] {
        var random = RandomStream(seed, UInt64(index), 1, .max)
        return try (0..<min(Self.stretches, frames / Self.stretch + 1)).flatMap { sequence in
            try pictures(index, sequence: sequence, isHidden: random.chance(0.5))
        }
    }

    private func pictures(_ index: Int, sequence: Int, isHidden: Bool = false) throws -> [RGBImage] {
        let renderer = SyntheticRenderer(
            seed: seed, difficulty: isMatch ? .real : .easy,
            height: isMatch ? Self.matchHeights.upperBound...Self.matchHeights.upperBound : 110...130)
        let rendered = try renderer.sequence(
            number: isHidden ? nil : numbers[index].description, track: index, sequence: sequence,
            frames: min(max(frames, 1), Self.stretch))
        return try rendered.frames.map { try RGBImage(decoding: $0.jpeg, named: "a rendered frame") }
    }

    /// The length of a stretch of one motion in frames, and the most stretches of a player.
    private static let (stretch, stretches) = (50, 8)
    private static let matchHeights = 60.0...230

    private func paintPitch(on canvas: Canvas) {
        canvas.fill(Canvas.Colour(0x4C8C4A))
        let stripe = Double(width) / 12
        for index in 0..<6 {
            canvas.rectangle(
                [Double(index) * 2 * stripe, 0], [stripe, Double(height)], Canvas.Colour(0x458243))
        }
    }
}
