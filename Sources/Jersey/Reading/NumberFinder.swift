import Foundation
import Torch

/// Finds the numbers in pictures of players, so that a model reads them alone and enlarged.
package protocol NumberFinding: Sendable {
    /// The box of the player's number in each picture; nil where it shows none.
    func boxes(in pictures: [RGBImage]) -> [NumberBox?]
}

extension SequenceLoader {
    /// A loader for reading with a model.
    ///
    /// - Parameters:
    ///   - singleFrame: which frames a single-frame model reads.
    ///   - path: what errors call the checkpoint.
    /// - Throws: `FileError` if the file's finder is broken.
    package init(_ checkpoint: Checkpoint, singleFrame: SingleFrame, path: String) throws {
        self.init(checkpoint.card, singleFrame: singleFrame)
        if wholePlayers == .number { finder = NumberFinder(try checkpoint.finderNetwork(path: path)) }
    }
}

/// Finds numbers with a trained `FinderNetwork`. It computes in float32 on the CPU.
package struct NumberFinder: NumberFinding {
    /// With less, there is no number. A model judges by itself what it can read, so this may be
    /// low.
    package static let leastConfidence = 0.3

    private let small, large: @Sendable (Tensor) -> FinderNetwork.Output

    package init(_ network: FinderNetwork) {
        small = network.compiled(for: .small)
        large = network.compiled(for: .large)
    }

    package func boxes(in pictures: [RGBImage]) -> [NumberBox?] {
        proposals(in: pictures).map { $0.flatMap { $0.confidence >= Self.leastConfidence ? $0 : nil } }
    }

    /// The best box of each picture, however unsure; nil if the network's output is not finite.
    package func proposals(in pictures: [RGBImage]) -> [NumberBox?] {
        var boxes: [NumberBox?] = pictures.map { _ in nil }
        for input in FinderNetwork.Input.allCases {
            let indices = pictures.indices.filter { FinderNetwork.Input(for: pictures[$0]) == input }
            for (index, box) in zip(indices, proposals(in: indices.map { pictures[$0] }, input)) {
                boxes[index] = box
            }
        }
        return boxes
    }

    private func proposals(in pictures: [RGBImage], _ input: FinderNetwork.Input) -> [NumberBox?] {
        guard !pictures.isEmpty else { return [] }
        let (size, cells) = (input.preprocessor, input.cells)
        let frames = ByteBuffer(count: pictures.count * size.byteCount)
        let fits = pictures.map { Fit($0, input) }
        for (index, picture) in pictures.enumerated() {
            if let fitted = size.resized(picture) { size.paste(fitted, into: frames, at: index) }
        }
        let pixels = Tensor(sharing: frames, shape: [pictures.count, size.height, size.width, 3])
        let (scores, boxes) = withoutGradients { () -> ([Double], [Double]) in
            let output = (input == .small ? small : large)(FramePreprocessor.normalized(pixels, on: .cpu))
            return (
                output.logits.softmax(over: 1).array(of: Double.self), output.boxes.array(of: Double.self)
            )
        }
        return fits.enumerated().map { index, fit in
            let best = FinderNetwork.best(
                scores: scores[index * (cells + 1)..<(index + 1) * (cells + 1)],
                boxes: boxes[index * cells * 4..<(index + 1) * cells * 4], in: input)
            return best.map(fit.outward)
        }
    }

    /// How a picture lies in the network's input.
    package struct Fit: Sendable {
        package let width, height: Int
        private let left, top: Int
        private let scale: SIMD2<Double>

        package init(_ picture: RGBImage, _ input: FinderNetwork.Input) {
            let size = input.preprocessor
            (width, height) = size.fit(width: picture.width, height: picture.height) ?? (1, 1)
            (top, left) = size.margins(width: width, height: height)
            scale = SIMD2(Double(picture.width) / Double(width), Double(picture.height) / Double(height))
        }

        /// From pixels of the input to those of the picture.
        func outward(_ box: NumberBox) -> NumberBox {
            NumberBox(
                left: (box.left - Double(left)) * scale.x, top: (box.top - Double(top)) * scale.y,
                width: box.width * scale.x, height: box.height * scale.y, confidence: box.confidence)
        }

        /// From pixels of the picture to those of the input.
        package func inward(_ box: NumberBox) -> NumberBox {
            NumberBox(
                left: box.left / scale.x + Double(left), top: box.top / scale.y + Double(top),
                width: box.width / scale.x, height: box.height / scale.y, confidence: box.confidence)
        }
    }
}

extension FinderNetwork {
    /// The best box of a picture, in pixels of the input; nil if the scores are not finite.
    ///
    /// A number whose middle is near the edge of a cell is claimed by the neighbours as well. So
    /// the best cell and those around it count together.
    ///
    /// - Parameters:
    ///   - scores: (P + 1) probabilities.
    ///   - boxes: (P, 4) proposals.
    static func best(scores: ArraySlice<Double>, boxes: ArraySlice<Double>, in input: Input) -> NumberBox? {
        let (rows, columns) = input.grid
        let (scores, boxes) = (Array(scores), Array(boxes))
        guard scores.allSatisfy(\.isFinite), boxes.allSatisfy(\.isFinite) else { return nil }
        let best = scores.prefix(rows * columns).indices.max { scores[$0] < scores[$1] } ?? 0
        var (sum, weight) = (SIMD4<Double>.zero, 0.0)
        for row in max(0, best / columns - 1)...min(rows - 1, best / columns + 1) {
            for column in max(0, best % columns - 1)...min(columns - 1, best % columns + 1) {
                let index = row * columns + column
                let box = boxes[index * 4..<index * 4 + 4]
                let (x, y, width, height) = (
                    box[index * 4], box[index * 4 + 1], box[index * 4 + 2], box[index * 4 + 3]
                )
                let proposal = SIMD4(
                    (Double(column) + 0.5 + x) * Double(cell), (Double(row) + 0.5 + y) * Double(cell),
                    usualSide * exp(min(max(width, -3), 3)), usualSide * exp(min(max(height, -3), 3)))
                sum += proposal * scores[index]
                weight += scores[index]
            }
        }
        guard weight > 0 else { return nil }
        let mean = sum / weight
        return NumberBox(
            left: mean.x - mean.z / 2, top: mean.y - mean.w / 2, width: mean.z, height: mean.w,
            confidence: min(weight, 1))
    }

    /// The cell of a box's middle, row by row, and the proposal of each cell for it: (P, 4), in the
    /// form of `Output.boxes`.
    ///
    /// - Parameter box: in pixels of the input.
    package static func target(of box: NumberBox, in input: Input) -> (cell: Int, proposals: [Float]) {
        let (rows, columns) = input.grid
        let x = (box.left + box.width / 2) / Double(cell)
        let y = (box.top + box.height / 2) / Double(cell)
        let row = min(max(Int(clamping: y), 0), rows - 1)
        let column = min(max(Int(clamping: x), 0), columns - 1)
        let size = [box.width, box.height].map { Float(log(max($0, 1) / usualSide)) }
        let proposals = (0..<rows * columns).flatMap { index -> [Float] in
            let middle = (x: Double(index % columns) + 0.5, y: Double(index / columns) + 0.5)
            return [Float(x - middle.x), Float(y - middle.y)] + size
        }
        return (row * columns + column, proposals)
    }
}
