import Foundation
import Jersey
import Torch

/// Rendered frames with the true boxes of their numbers, for training a finder.
struct FinderSamples: Sendable {
    struct Frame: Sendable {
        let path: String
        /// Nil if the frame shows no number of its player.
        let box: NumberBox?
    }

    /// A frame as the network sees it.
    struct Sample {
        let input: FinderNetwork.Input
        /// (1, H, W, 3) uint8.
        let picture: Tensor
        /// In pixels of the network's input.
        let box: NumberBox?
    }

    let frames: [Frame]

    /// Light and blur vary; where the number is stays known.
    private static let augmentation: Augmentation = {
        var config = AugmentationConfig()
        (config.brightness, config.contrast, config.saturation) = (0.35, 0.35, 0.5)
        (config.rotation, config.flipProbability, config.frameJitter) = (0, 0, false)
        (config.blurProbability, config.noiseProbability) = (0.15, 0.2)
        return Augmentation(config)
    }()

    /// - Parameter sequences: with a truth beside their frames.
    /// - Throws: `FileError` if there is none.
    init(_ sequences: [FrameSequence]) throws {
        frames = try sequences.flatMap { sequence -> [Frame] in
            let folder = URL(fileURLWithPath: sequence.file(0)).deletingLastPathComponent()
            guard let truth = try FrameTruth.all(in: folder) else {
                throw FileError(
                    folder.path, "holds no \(FrameTruth.fileName) with the boxes of the numbers",
                    advice: "render the data, or write this file")
            }
            return sequence.frames.indices.compactMap { index in
                let path = sequence.file(index)
                return truth[URL(fileURLWithPath: path).lastPathComponent].map {
                    Frame(path: path, box: $0.box)
                }
            }
        }
    }

    /// The frame as it is.
    func sample(_ index: Int) throws -> Sample {
        let image = try RGBImage(contentsOf: URL(fileURLWithPath: frames[index].path))
        return try sample(image, frames[index].box, draw: nil)
    }

    /// The frame cut, coarsened, mirrored and lit at random.
    func sample(_ index: Int, _ random: inout RandomStream) throws -> Sample {
        var image = try RGBImage(contentsOf: URL(fileURLWithPath: frames[index].path))
        var box = frames[index].box
        if random.chance(0.5) { (image, box) = Self.cut(image, box, &random) }
        if random.chance(0.25) {
            let share = random.uniform(0.2...0.8)
            let width = max(8, Int(share * Double(image.width)))
            let height = max(8, Int(share * Double(image.height)))
            let (x, y) = (Double(width) / Double(image.width), Double(height) / Double(image.height))
            image = image.resized(width: width, height: height)
            box = box.map {
                NumberBox(left: $0.left * x, top: $0.top * y, width: $0.width * x, height: $0.height * y)
            }
        }
        var draw = Self.augmentation.draw(from: &random)
        draw.isMirrored = random.chance(0.5)
        if draw.isMirrored {
            box = box.map {
                NumberBox(
                    left: Double(image.width) - $0.left - $0.width, top: $0.top, width: $0.width,
                    height: $0.height)
            }
        }
        return try sample(image, box, draw: draw)
    }

    private func sample(_ image: RGBImage, _ box: NumberBox?, draw: Augmentation.Draw?) throws -> Sample {
        let input = FinderNetwork.Input(for: image)
        let (size, fit) = (input.preprocessor, NumberFinder.Fit(image, input))
        var picture = try size.fitted(image)
        if let draw { picture = Augmentation.apply(draw, to: picture) }
        let frame = ByteBuffer(count: size.byteCount)
        size.paste(picture, into: frame, at: 0)
        return Sample(
            input: input, picture: Tensor(sharing: frame, shape: [1, size.height, size.width, 3]),
            box: box.map(fit.inward))
    }

    /// Cuts off some of the sides. A number that would be cut through stays whole; a number outside
    /// is not there.
    private static func cut(_ image: RGBImage, _ box: NumberBox?, _ random: inout RandomStream) -> (
        RGBImage, NumberBox?
    ) {
        func sides(of length: Int) -> ClosedRange<Double> {
            let (low, high) = (random.uniform(), random.uniform())
            let (cutsLow, cutsHigh) = (random.chance(0.5), random.chance(0.5))
            return Double(length) * (cutsLow ? 0.45 * low : 0)...Double(length)
                * (cutsHigh ? 1 - 0.45 * high : 1)
        }
        var (across, down) = (sides(of: image.width), sides(of: image.height))
        if let box, random.chance(0.4) {
            // Close around the number, as number detectors cut it, or as torsos are.
            let reach = random.uniform(0.02...1) * max(box.width, box.height)
            func around(_ start: Double, _ length: Double, _ whole: Int) -> ClosedRange<Double> {
                let low = max(0, start - reach * random.uniform(0.1...1.5))
                return
                    low...max(low + 1, min(Double(whole), start + length + reach * random.uniform(0.1...1.5)))
            }
            across = around(box.left, box.width, image.width)
            down = around(box.top, box.height, image.height)
        }
        var inside: NumberBox?
        if let box {
            let (right, bottom) = (box.left + box.width, box.top + box.height)
            let width = min(right, across.upperBound) - max(box.left, across.lowerBound)
            let height = min(bottom, down.upperBound) - max(box.top, down.lowerBound)
            let share = max(width, 0) * max(height, 0) / max(box.width * box.height, 1e-9)
            if share > 0.1 {
                across =
                    min(
                        across.lowerBound, max(box.left, 0))...max(
                        across.upperBound, min(right, Double(image.width)))
                down =
                    min(
                        down.lowerBound, max(box.top, 0))...max(
                        down.upperBound, min(bottom, Double(image.height)))
                inside = box
            }
        }
        let x =
            Int(
                across.lowerBound)..<min(
                image.width, max(Int(across.lowerBound) + 1, Int(across.upperBound.rounded(.up))))
        let y =
            Int(
                down.lowerBound)..<min(
                image.height, max(Int(down.lowerBound) + 1, Int(down.upperBound.rounded(.up))))
        return (
            image.cropped(x: x, y: y),
            inside.map {
                NumberBox(
                    left: $0.left - Double(x.lowerBound), top: $0.top - Double(y.lowerBound), width: $0.width,
                    height: $0.height)
            }
        )
    }
}
