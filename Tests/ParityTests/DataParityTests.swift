import Crypto
import Foundation
import JerseyLab
import TestSupport
import Testing
import Torch

@testable import Jersey
@testable import JerseyLab

@Suite("Data reach the network as in the study", .needs(.data))
struct DataParityTests {
    @Test(arguments: try Fixtures.data.ordering)
    func `A folder's files become frames in the study's order`(_ expected: DataFixture.Ordering) {
        let (frames, marked) = FrameOrder.frames(among: expected.listing)
        let (order, anchor) = FrameOrder.published(anchorFirst: expected.anchorFirst).arranged(
            frames, anchor: marked)
        #expect(order.map { frames[$0] } == expected.frames)
        // Without an anchor the study takes the first frame. We do so only for models that read one
        // frame.
        #expect(anchor.flatMap(order.firstIndex) ?? (frames.isEmpty ? -1 : 0) == expected.anchorIndex)
    }

    @Test(arguments: try Fixtures.data.sampling)
    func `Long sequences are sampled at the study's frames`(_ expected: DataFixture.Sampling) {
        var random = RandomStream(0)
        let sampling = FrameSampling.published(anchorFirst: expected.anchorFirst)
        #expect(
            sampling.indices(count: expected.frames, limit: expected.limit, random: &random)
                == expected.indices)
    }

    /// Runs the loader on image files of a single colour each: red identifies the frame, green the
    /// sequence.
    @Test(arguments: try Fixtures.data.collate)
    func `A padded batch repeats each sequence's last frame`(_ expected: DataFixture.Collate) throws {
        let folder = try TestFolder()
        let sequences = try expected.itemLengths.enumerated().map { sequence, length in
            let frames = try (0..<length).map { frame in
                let url = folder.url.appendingPathComponent("\(sequence)_\(frame).png")
                let colour = [UInt8(frame), UInt8(sequence), 0]
                try RGBImage(width: 2, height: 2, pixels: Array(repeating: colour, count: 4).flatMap(\.self))
                    .pngData().write(
                        to: url)
                return url.path
            }
            return FrameSequence(id: "\(sequence)", track: "", number: nil, frames: frames, anchor: nil)
        }
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 2, width: 2, truncates: true),
            maximumFrames: expected.limit,
            sampling: .published(anchorFirst: true))
        let batches = BatchLoader(
            sequences.map { .init($0) }, batchSize: sequences.count, loader: loader, workers: 2, pads: true)
        let batch = try #require(try batches.next())
        #expect(batch.lengths == expected.lengths)
        #expect(batch.isPadded)
        let rows = batch.frames.array(of: UInt8.self)
        let shown = stride(from: 0, to: rows.count, by: 2 * 2 * 3).map { [Int(rows[$0 + 1]), Int(rows[$0])] }
        #expect(
            shown
                == expected.frames.enumerated().flatMap { sequence, frames in frames.map { [sequence, $0] } })
    }

    @Test(arguments: try Fixtures.data.fitSize)
    func `Sizes are cut to whole pixels`(_ row: [Int]) {
        let size = FramePreprocessor(height: 192, width: 96, truncates: true).fit(
            width: row[0], height: row[1])
        // If truncation leaves nothing, there is no picture.
        let expected = row[2] > 0 && row[3] > 0 ? [row[2], row[3]] : nil
        #expect(size.map { [$0.width, $0.height] } == expected)
    }

    @Test(arguments: try Fixtures.data.splitSizes)
    func `The tracks of a number are split in the study's shares`(_ row: [Int]) {
        let sizes = Splits.sizes(row[0], ratios: [0.8, 0.1, 0.1])
        #expect([sizes.train, sizes.val, sizes.test] == Array(row.dropFirst()))
    }

    @Test func `Logits become the study's numbers, accuracies and losses`() throws {
        let expected = try Fixtures.data.metrics
        let labels = expected.jerseys.compactMap { JerseyNumber($0) }
        #expect(labels.map(\.tens) == expected.tensLabels)
        #expect(labels.map(\.ones) == expected.onesLabels)

        func tensor(_ rows: [[Double]]) -> Tensor {
            Tensor(rows.flatMap(\.self).map(Float.init), shape: [rows.count, rows[0].count])
        }
        let (tens, ones) = (tensor(expected.tensLogits), tensor(expected.onesLogits))
        let tensLoss = crossEntropy(tens, Tensor(expected.tensLabels.map(Int64.init))).item
        let onesLoss = crossEntropy(ones, Tensor(expected.onesLabels.map(Int64.init))).item
        let losses = [expected.lossTens, expected.lossOnes, expected.loss]
        expectClose([tensLoss, onesLoss, tensLoss + onesLoss], losses, within: 1e-6, "loss in training")

        func rows(_ logits: Tensor) -> [[Double]] {
            labels.indices.map { logits.selected(0, at: $0).logSoftmax(over: 0).array() }
        }
        let readings = zip(labels, zip(rows(tens), rows(ones))).enumerated().map { index, row in
            let sequence = FrameSequence(
                id: "\(index)", track: "\(index)", number: row.0, frames: [], anchor: nil)
            let digits = DigitDistribution(tens: row.1.0, ones: row.1.1)
            return Reading(sequence: sequence, digits: digits, used: [], attention: nil, problems: [])
        }
        #expect(readings.map(\.number.description) == expected.predicted)
        let evaluation = Evaluation(readings, seenNumbers: nil)
        let (sequences, none) = (evaluation.all.sequences, Double.nan)
        // Fixtures have nine digits.
        expectClose(
            [sequences.tens.value ?? none, sequences.ones.value ?? none, sequences.number.value ?? none],
            [expected.accTens, expected.accOnes, expected.accNumber], within: 1e-9, "accuracy")
        expectClose([evaluation.loss], [expected.loss], within: 1e-6, "loss in evaluation")
    }
}

// MARK: - Images

@Suite(
    "Pictures reach the network as in the study", .needs(.data),
    .enabled(if: Fixtures.images != nil, "JERSEY_SHARED names the folder of the images"))
struct PictureParityTests {
    private static let preprocessor = FramePreprocessor(height: 192, width: 96, truncates: true)

    @Test(arguments: try Fixtures.data.preprocess)
    func `A picture is decoded, resized, padded and normalised as Pillow and PyTorch do`(
        _ expected: DataFixture.Picture
    ) throws {
        let image = try RGBImage(
            contentsOf: #require(Fixtures.images).appendingPathComponent(expected.path))
        #expect([image.width, image.height] == expected.size)
        try #require(
            SHA256.hash(data: image.pixels).hexadecimal == expected.decodedSha256,
            "another JPEG decoder shifts all that follows")
        expectClose([mean(image.pixels)], [expected.decodedMean], within: 1e-5, "mean of the decoded picture")

        let resized = try #require(Self.preprocessor.resized(image))
        let pixels = interleaved(resized)
        #expect([resized.shape[3], resized.shape[2]] == expected.resizedSize)
        expectClose(
            pixels.prefix(30).map(Double.init), expected.resizedFirst30.map(Double.init), within: 1, "level")
        expectClose([mean(pixels)], [expected.resizedMean], within: 0.1, "mean of the resized picture")
        // When shrinking, versions of Pillow differ in which axis comes first.
        if image.width <= resized.shape[3] && image.height <= resized.shape[2] {
            #expect(SHA256.hash(data: pixels).hexadecimal == expected.resizedSha256)
        }

        let buffer = ByteBuffer(count: Self.preprocessor.byteCount)
        Self.preprocessor.paste(resized, into: buffer, at: 0)
        let frame = Tensor(sharing: buffer, shape: [1, 192, 96, 3])
        let (top, left) = (expected.padTop, expected.padLeft)
        let pasted = frame.narrowed(1, to: top..<top + resized.shape[2]).narrowed(
            2, to: left..<left + resized.shape[3])
        #expect(pasted.array(of: UInt8.self) == pixels)

        let values = FramePreprocessor.normalized(frame, on: .cpu).array(of: Double.self)
        let average = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(values.count)
        expectClose(
            [average, variance.squareRoot()], [expected.tensorMean, expected.tensorStd], within: 1e-5,
            "mean and deviation")
        let samples = expected.tensorSamples.map { values[(Int($0[0]) * 192 + Int($0[1])) * 96 + Int($0[2])] }
        expectClose(samples, expected.tensorSamples.map { $0[3] }, within: 1e-5, "sample")
    }

    @Test(
        arguments: try Fixtures.data.augmentation.ops.keys.sorted() + ["chain"])
    func `An augmentation changes a picture as Pillow does`(_ name: String) throws {
        let fixture = try Fixtures.data.augmentation
        let image = try RGBImage(
            contentsOf: #require(Fixtures.images).appendingPathComponent(fixture.path))
        let picture = try #require(Self.preprocessor.resized(image))
        #expect([picture.shape[3], picture.shape[2]] == fixture.resizedSize)
        try compare(picture, fixture.base, "base")

        let expected = try name == "chain" ? fixture.chain : #require(fixture.ops[name])
        var draw = Augmentation.Draw()
        var noise: Double?
        for operation in expected.ops ?? [name] {
            let parts = operation.split(separator: "_")
            let value = try #require(Double(parts[1]))
            switch parts[0] {
            case "brightness": draw.brightness = value
            case "contrast": draw.contrast = value
            case "saturation": draw.saturation = value
            case "rotate": draw.angle = value
            case "blur": draw.blur = value
            case "noise": noise = value
            default: Issue.record("there is no augmentation called \(operation)")
            }
        }
        let changed = Augmentation.apply(draw, to: picture)
        if let noise {
            // This is the last operation. Its values come from the rule instead of a seed.
            let (height, width) = (picture.shape[2], picture.shape[3])
            let values = WeightRule.values("noise-a", count: height * width * 3, scale: noise)
            Augmentation.addNoise(changed, Tensor(values, shape: [1, height, width, 3]).permuted(0, 3, 1, 2))
        }
        try compare(changed, expected, name)
    }

    private func compare(_ picture: Tensor, _ expected: DataFixture.Pixels, _ name: String) throws {
        let pixels = interleaved(picture)
        let width = picture.shape[3]
        for row in expected.pixels {
            let start = (row[0] * width + row[1]) * 3
            expectClose(
                pixels[start..<start + 3].map(Double.init), row.dropFirst(2).map(Double.init), within: 1,
                "\(name): level at \(row)")
        }
        expectClose([mean(pixels)], [expected.mean], within: 0.1, "\(name): mean")
    }

    /// (1, 3, h, w) to bytes as in a file: row by row, interleaved red, green, blue.
    private func interleaved(_ picture: Tensor) -> [UInt8] {
        picture.to(dtype: .uint8).permuted(0, 2, 3, 1).array()
    }

    private func mean(_ pixels: [UInt8]) -> Double {
        Double(pixels.reduce(0) { $0 + Int($1) }) / Double(pixels.count)
    }
}
