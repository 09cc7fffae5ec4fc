import Jersey
import Torch

/// Shows digits in company that they never had: pictures of a two-digit number get the right half of pictures of another, and with it
/// the ones digit (as CutMix, Yun et al. 2019, but with the digits' places for the shares of the label).
///
/// A network whose features of a digit see the one beside it, too, learns which digits stand together; what it has never seen together it
/// then reads worse.
struct DigitMixing {
    /// Of a sequence's being mixed.
    let probability: Double
    /// The seam lies within this share of the width from the middle, and is as wide.
    private static let seam = 1.0 / 12

    /// - Parameters:
    ///   - frames: (R, H, W, 3) uint8, sequence after sequence.
    ///   - lengths: frames of each.
    ///   - numbers: of each; those without two digits stay as they are.
    /// - Returns: frames and numbers of the same shapes.
    func callAsFunction(
        _ frames: Tensor, lengths: [Int], numbers: [JerseyNumber?], random: inout RandomStream
    ) -> (frames: Tensor, numbers: [JerseyNumber?]) {
        let pairs = numbers.indices.filter { numbers[$0].map { $0.tens != JerseyNumber.blank } ?? false }
        guard pairs.count > 1 else { return (frames, numbers) }
        let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let width = frames.shape[2]
        // For each frame the one that its right half comes from, and of each column how much does.
        var others = (0..<frames.shape[0]).map(Int64.init)
        var shares = [Float](repeating: 0, count: frames.shape[0] * width)
        var mixed = numbers
        for index in pairs {
            // As many draws whatever they come to.
            let (isMixed, partner) = (random.chance(probability), pairs[Int(random.next() % UInt64(pairs.count))])
            let middle = (0.5 + random.uniform(-Self.seam...Self.seam)) * Double(width)
            guard isMixed, partner != index, let left = numbers[index], let right = numbers[partner] else { continue }
            mixed[index] = JerseyNumber(tens: left.tens, ones: right.ones)
            let ramp = (0..<width).map { column in
                Float(min(max((Double(column) + 0.5 - middle) / (Self.seam * Double(width)) + 0.5, 0), 1))
            }
            for frame in 0..<lengths[index] {
                let row = starts[index] + frame
                others[row] = Int64(starts[partner] + frame % lengths[partner])
                shares.replaceSubrange(row * width..<(row + 1) * width, with: ramp)
            }
        }
        let own = frames.to(dtype: .float32)
        let share = Tensor(shares, shape: [frames.shape[0], 1, width, 1])
        return ((own + (own.gathered(0, at: Tensor(others)) - own) * share).to(dtype: .uint8), mixed)
    }
}
