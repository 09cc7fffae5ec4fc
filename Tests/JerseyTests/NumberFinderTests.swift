import Foundation
import Jersey
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Finding the number")
struct NumberFinderTests {
    /// A picture of one colour with a brighter rectangle in it.
    private func picture(width: Int, height: Int, x: Range<Int>, y: Range<Int>) -> RGBImage {
        var image = RGBImage(
            width: width, height: height, pixels: .init(repeating: 60, count: width * height * 3))
        for row in y {
            for column in x {
                for channel in 0..<3 { image.pixels[(row * width + column) * 3 + channel] = 230 }
            }
        }
        return image
    }

    @Test func `Boxes that cover the same area overlap by one, apart by nothing, half by a third`() {
        let box = NumberBox(left: 10, top: 10, width: 20, height: 10)
        #expect(box.overlap(with: box) == 1)
        #expect(box.overlap(with: NumberBox(left: 40, top: 10, width: 20, height: 10)) == 0)
        #expect(abs(box.overlap(with: NumberBox(left: 20, top: 10, width: 20, height: 10)) - 1.0 / 3) < 1e-9)
    }

    @Test(
        arguments: [
            // The box, and the columns and rows of the square around it, in a picture of 60x100.
            (NumberBox(left: 20, top: 30, width: 20, height: 10), 17..<43, 22..<48),
            (NumberBox(left: -4, top: 90, width: 10, height: 20), 0..<14, 87..<100),
            (NumberBox(left: 400, top: 400, width: 10, height: 10), 59..<60, 99..<100),
        ])
    func `A square around the number is cut out, as far as there is a picture`(
        box: NumberBox, columns: Range<Int>, rows: Range<Int>
    ) {
        let player = picture(width: 60, height: 100, x: 20..<40, y: 30..<40)
        #expect(player.cropped(around: box) == player.cropped(x: columns, y: rows))
    }

    @Test(arguments: FinderNetwork.Input.allCases, [(0.2, 0.3), (0.5, 0.5), (0.97, 0.02)])
    func `The target of a box is the box that is found with it`(
        _ input: FinderNetwork.Input, _ middle: (x: Double, y: Double)
    ) throws {
        let size = input.preprocessor
        let box = NumberBox(
            left: middle.x * Double(size.width) - 5, top: middle.y * Double(size.height) - 7, width: 10,
            height: 14)
        let (cell, proposals) = FinderNetwork.target(of: box, in: input)
        var scores = [Double](repeating: 0.01 / Double(input.cells), count: input.cells + 1)
        scores[cell] = 0.98
        let found = try #require(
            FinderNetwork.best(scores: scores[...], boxes: proposals.map(Double.init)[...], in: input))
        #expect(found.overlap(with: box) > 0.999 && 0.98...1 ~= found.confidence)
    }

    @Test(arguments: [(20, 30), (40, 100), (300, 200), (1, 1), (1, 900), (5000, 3)])
    func `Boxes are those of the picture, whatever its size, and come back from the input`(
        _ width: Int, _ height: Int
    ) {
        let image = picture(width: width, height: height, x: 0..<1, y: 0..<1)
        let fit = NumberFinder.Fit(image, FinderNetwork.Input(for: image))
        let box = NumberBox(left: 0, top: 0, width: Double(width), height: Double(height), confidence: 0.5)
        let back = fit.outward(fit.inward(box))
        #expect(abs(back.left) < 1e-6 && abs(back.width - box.width) < 1e-6 && back.confidence == 0.5)
        let fitted = FinderNetwork.Input(for: image).preprocessor.resized(image)
        #expect(fitted?.shape == [1, 3, fit.height, fit.width])
    }

    @Test func `A network that overflows finds nothing`() {
        let network = FinderNetwork()
        withoutGradients { for tensor in network.store.tensors.values { tensor.copy(from: tensor * 1e30) } }
        let boxes = NumberFinder(network).boxes(in: [picture(width: 40, height: 100, x: 10..<20, y: 20..<40)])
        #expect(boxes == [nil])
    }

    @Test func `What is found in a picture does not depend on the others`() {
        let finder = NumberFinder(FinderNetwork(seed: 3))
        let pictures = [
            picture(width: 40, height: 100, x: 10..<20, y: 20..<40),
            picture(width: 30, height: 40, x: 5..<20, y: 5..<30),
            picture(width: 80, height: 90, x: 30..<50, y: 20..<40),
        ]
        let together = finder.proposals(in: pictures)
        for (picture, box) in zip(pictures, together) {
            let alone = finder.proposals(in: [picture])[0]
            #expect(box.flatMap { box in alone.map { $0.overlap(with: box) > 0.999 } } == true)
        }
    }

    @Test func `A file keeps the finder that its model was trained with; others take the bundled one`() throws
    {
        try withFolder { folder throws in
            let spec = try ModelSpec.named("evidence_independent")
            var card = Checkpoint.Card(spec: spec)
            card.wholePlayers = .number
            let (own, none) = (
                folder.appending(path: "own.safetensors"), folder.appending(path: "none.safetensors")
            )
            let finder = FinderNetwork(seed: 7)
            try Checkpoint.write(JerseyModel(spec), card, finder: finder.store.tensors, to: own)
            try Checkpoint.write(JerseyModel(spec), card, to: none)
            func stem(_ network: FinderNetwork) -> [Float] { network.store.entries[0].tensor.floats }
            let checkpoint = try Checkpoint(contentsOf: own)
            #expect(try stem(checkpoint.finderNetwork(path: "own")) == stem(finder))
            #expect(checkpoint.tensors.keys.allSatisfy { !$0.hasPrefix("finder.") })
            let copy = folder.appending(path: "copy.safetensors")
            try checkpoint.write(card, to: copy)
            #expect(try stem(Checkpoint.finderNetwork(contentsOf: copy)) == stem(finder))
            let bundled = try Checkpoint.bundled().finderNetwork(path: Checkpoint.bundledName)
            #expect(try stem(Checkpoint(contentsOf: none).finderNetwork(path: "none")) == stem(bundled))
            #expect { try Checkpoint.finderNetwork(contentsOf: none) } throws: {
                "\($0)".contains("holds no finder of numbers")
            }
        }
    }

    @Test func `In training, boxes are those of the truth beside the frames, shifted a little`() throws {
        try withFolder { folder throws in
            let image = picture(width: 40, height: 80, x: 10..<20, y: 20..<40)
            let frame = folder.appending(path: "0.jpg")
            try image.jpegData().write(to: frame)
            let truth = FrameTruth(
                frame: "0.jpg", number: JerseyNumber("7"), visibility: 1, numberBox: [10, 20, 10, 20],
                playerBox: nil)
            try JSON.line(truth).write(to: folder.appending(path: FrameTruth.fileName))
            var loader = SequenceLoader(
                preprocessor: FramePreprocessor(height: 32, width: 32), maximumFrames: 4, sampling: .even)
            loader.wholePlayers = .number
            loader.usesTruth = true
            let sequence = FrameSequence(
                id: "x", track: "x", number: nil, frames: [frame.path], anchor: nil)
            let box = try #require(loader.load(sequence).boxes[0])
            #expect(box == truth.box)
            loader.jittersBoxes = true
            let boxes = try (0..<20).compactMap {
                try loader.load(sequence, random: RandomStream($0)).boxes[0]
            }
            #expect(boxes.count == 20 && Set(boxes.map(\.left)).count == 20)
            #expect(boxes.allSatisfy { $0.overlap(with: box) > 0.4 })
        }
    }
}
