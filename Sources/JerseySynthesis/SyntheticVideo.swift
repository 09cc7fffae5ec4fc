import Foundation
import Jersey
import JerseyOutput

/// A rendered video of running players who show their backs at one size, with the boxes of a perfect
/// tracker, for trying out videos.
package struct SyntheticVideo: Sendable, Equatable {
    /// One player per number.
    package var numbers: [JerseyNumber]
    package var frames: Int
    package var seed: UInt64
    package var width = 960
    package var height = 540
    package var rate = 25.0

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
            // From far to near.
            for (track, player) in players.enumerated() {
                let picture = player.picture(frame)
                let size = Canvas.Point(Double(picture.width), Double(picture.height))
                let place = player.place(frame, size: size, width: width, height: height)
                canvas.draw(Canvas(picture), at: place, size: size)
                rows +=
                    "\(frame + 1),\(track + 1),\(Int(place.x)),\(Int(place.y)),\(Int(size.x)),\(Int(size.y)),1,-1,-1,-1\n"
            }
            try writer.add(canvas.image, time: Double(frame) / rate)
            progress()
        }
        try writer.finish()
        try AtomicFile.write(Data(rows.utf8), to: URL(fileURLWithPath: boxes))
    }

    private struct Player {
        let pictures: [RGBImage]
        let depth, phase, speed, centre: Double

        /// Plays the pictures back and forth, so that a long video needs few of them.
        func picture(_ frame: Int) -> RGBImage {
            let period = max(2 * pictures.count - 2, 1)
            let place = frame % period
            return pictures[place < pictures.count ? place : period - place]
        }

        /// The upper left corner, in whole pixels. At the ends of their path, players are half
        /// outside the picture.
        func place(_ frame: Int, size: Canvas.Point, width: Int, height: Int) -> Canvas.Point {
            let x = centre + 0.5 * sin(phase + speed * Double(frame))
            let y = 0.15 + 0.8 * depth
            return [
                (x * Double(width) - size.x / 2).rounded(), (y * Double(height) - size.y / 2).rounded(),
            ]
        }
    }

    private func player(_ index: Int) throws -> Player {
        var random = RandomStream(seed, UInt64(index), 0, .max)
        let renderer = SyntheticRenderer(seed: seed, difficulty: .easy, height: 110...130)
        let rendered = try renderer.sequence(
            number: numbers[index].description, track: index, sequence: 0,
            frames: min(max(frames, 1), Self.longest))
        return Player(
            pictures: try rendered.frames.map { try RGBImage(decoding: $0.jpeg, named: "a rendered frame") },
            depth: (Double(index) + 0.5) / Double(numbers.count),
            phase: random.uniform(0...(2 * .pi)),
            speed: random.uniform(0.01...0.03), centre: random.uniform(0.4...0.6))
    }

    /// The most pictures of a player.
    private static let longest = 50

    private func paintPitch(on canvas: Canvas) {
        canvas.fill(Canvas.Colour(0x4C8C4A))
        let stripe = Double(width) / 12
        for index in 0..<6 {
            canvas.rectangle(
                [Double(index) * 2 * stripe, 0], [stripe, Double(height)], Canvas.Colour(0x458243))
        }
    }
}
