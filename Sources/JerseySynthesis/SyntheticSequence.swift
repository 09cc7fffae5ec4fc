import Foundation
import Jersey
import JerseyOutput

/// What a frame shows.
package enum Framing: String, Sendable, CaseIterable {
    /// The player as trackers crop them: mostly from head to foot, now and then cut off or with much
    /// around.
    case body
    /// The body from the shoulders to the hips, or another part with the shirt.
    case torso
    /// The number with a margin, as number detectors crop it.
    case number
}

/// A rendered player over a few frames, in temporal order.
package struct SyntheticSequence: Sendable {
    package struct Frame: Sendable {
        package let jpeg: Data
        /// From 0 (the number is not visible at all) to 1 (seen from straight behind,
        /// unobstructed).
        package let visibility: Double
        /// Around the visible part of the number; nil if nothing is visible.
        package let numberBox: Box?
        /// Around the visible part of the player.
        package let playerBox: Box?
        /// How legible the number is, from 0 to 1, from visibility and sharpness.
        let legibility: Double
    }

    /// In frame pixels.
    package struct Box: Sendable, Equatable {
        package var left, top, width, height: Double
    }

    package let frames: [Frame]
    /// Index of the frame that shows the number best.
    package var anchor: Int { frames.indices.max { frames[$0].legibility < frames[$1].legibility } ?? 0 }
}

/// Renders players in shirts with numbers: images free of any licence.
///
/// A sequence depends only on the seed and its indices, so it can be rendered on any thread in any
/// order.
package struct SyntheticRenderer: Sendable {
    package var seed: UInt64
    package var framing: Framing
    package var difficulty: Difficulty
    /// Heights of frames in pixels, or of whole players where frames cut off a part. Each track
    /// draws its own.
    package var height: ClosedRange<Double>

    /// - Parameter height: nil uses the difficulty's.
    package init(
        seed: UInt64, framing: Framing = .body, difficulty: Difficulty = .real,
        height: ClosedRange<Double>? = nil
    ) {
        self.seed = seed
        self.framing = framing
        self.difficulty = difficulty
        self.height = height ?? difficulty.height(framing)
    }

    /// Sequences of one `track` share the player, the kit and the camera; `sequence` varies the
    /// motion.
    ///
    /// - Parameters:
    ///   - number: "0"..."9" or "00"..."99"; nil for a player whose number is never visible.
    ///   - frames: the number of frames, at least 1.
    package func sequence(number: String?, track: Int, sequence: Int, frames: Int) throws -> SyntheticSequence
    {
        var random = RandomStream(seed, UInt64(track))
        let scene = Scene(number: number, renderer: self, using: &random)
        var rendered = SyntheticSequence(frames: [])
        // If the number stays hidden throughout, try another motion, and finally an easy one.
        for attempt in 0..<4 as Range<UInt64> {
            var random = RandomStream(seed, UInt64(track), UInt64(sequence), attempt)
            rendered = try scene.rendered(
                frames: frames, isHidden: number == nil, isSafe: attempt == 3, using: &random)
            if number == nil || rendered.frames.contains(where: { $0.visibility > 0.4 }) { break }
        }
        return rendered
    }
}

extension Array {
    /// The bounding box of matching pixels, times `scale`, and their count.
    func box(in width: Int, scale: Double, where counts: (Element) -> Bool) -> (
        SyntheticSequence.Box?, count: Int
    ) {
        var (left, right, top, bottom, count) = (Int.max, -1, Int.max, -1, 0)
        for index in indices where counts(self[index]) {
            let (x, y) = (index % width, index / width)
            left = Swift.min(left, x)
            right = Swift.max(right, x)
            top = Swift.min(top, y)
            bottom = Swift.max(bottom, y)
            count += 1
        }
        guard count > 0 else { return (nil, 0) }
        let box = SyntheticSequence.Box(
            left: Double(left) * scale, top: Double(top) * scale, width: Double(right + 1 - left) * scale,
            height: Double(bottom + 1 - top) * scale)
        return (box, count)
    }
}
