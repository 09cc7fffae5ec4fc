import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite struct FrameStreamTests {
    private func reader(_ spec: ModelSpec, frames: Int = 4) -> SequenceReader {
        var spec = spec
        spec.encoder = .mobilenetV3Small
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 32, width: 24), maximumFrames: frames, sampling: .even,
            singleFrame: spec.readsAnchorOnly ? .anchorOrAll : nil)
        return SequenceReader(model: JerseyModel(spec, seed: 5).frozen(), loader: loader, workers: 1)
    }

    private func batch(_ images: [RGBImage], _ reader: SequenceReader) throws -> DigitDistribution {
        let sequence = FrameSequence(
            id: "a", track: "a", number: nil, frames: images.indices.map(String.init), images: images,
            anchor: nil)
        return try reader.readAll([sequence]).0[0].digits
    }

    private func isEqual(_ a: DigitDistribution?, _ b: DigitDistribution) -> Bool {
        guard let a else { return false }
        return zip(a.tens + a.ones, b.tens + b.ones).allSatisfy { abs($0 - $1) < 1e-3 }
    }

    private let images = (0..<7).map { picture($0 * 7 + 1, width: 10 + $0, height: 16) }

    @Test(arguments: ModelSpec.all)
    func `The digits after each frame is that of all frames at once`(spec: ModelSpec) throws {
        let reader = reader(spec)
        let stream = FrameStream(reader)
        #expect(stream.digits == nil)
        for count in 1...4 {
            try stream.add(images[count - 1])
            #expect(isEqual(stream.digits, try batch(Array(images.prefix(count)), reader)), "after \(count)")
            #expect(stream.digits == stream.digits && stream.count == count)
        }
    }

    @Test(arguments: ["seq_urnn_fs", "seq_ugru_fs", "seq_ulstm_fs", "basic_sv2", "evidence_tied"])
    func `A causal model reads a stream of any length as it reads all frames at once`(model: String)
        throws
    {
        let spec = try ModelSpec.named(model)
        let stream = FrameStream(reader(spec))
        for image in images { try stream.add(image) }
        #expect(isEqual(stream.digits, try batch(images, reader(spec, frames: 16))))
    }

    @Test(arguments: ["attn_bgru_luong", "attn_ugru_gate"])
    func `Another model sees the last frames`(model: String) throws {
        let reader = reader(try ModelSpec.named(model))
        let stream = FrameStream(reader)
        for image in images { try stream.add(image) }
        #expect(isEqual(stream.digits, try batch(images.suffix(4), reader)))
    }

    @Test(arguments: ModelSpec.all)
    func `Encoding a frame takes as much work whatever came before`(spec: ModelSpec) throws {
        let meter = OperationMeter()
        let stream = FrameStream(reader(spec).watched(by: Pass(meter: meter)))
        var work: [Int] = []
        for image in images {
            let before = meter.multiplyAccumulates
            try stream.add(image)
            work.append(meter.multiplyAccumulates - before)
            _ = stream.digits
        }
        #expect(work[0] > 0 && work.allSatisfy { $0 == work[0] }, "\(work)")
    }

    @Test func `A compiled model's stream is that of its sequences`() throws {
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 48, width: 48), maximumFrames: 16, sampling: .even)
        let checkpoint = try Checkpoint.bundled()
        let network = try checkpoint.model(on: .cpu, path: "bundled")
        // Not every processor supports int8.
        guard let model = try? network.compiled(asked: .fixed(.int8), checkpoint.card) else { return }
        let reader = SequenceReader(model: model, loader: loader, workers: 1)
        let stream = FrameStream(reader)
        for image in images { try stream.add(image) }
        #expect(isEqual(stream.digits, try batch(images, reader)))
    }

    @Test func `A long stream of single frames is no surer than two of them`() throws {
        let reader = reader(try ModelSpec.named("basic_mv3s"))
        let stream = FrameStream(reader)
        for _ in 0..<40 { try stream.add(images[0]) }
        let single = try batch([images[0]], reader)
        let twice = DigitDistribution(summing: [single, single])
        let (long, bound) = (try #require(stream.digits), twice.probability(of: twice.number))
        #expect(long.number == single.number)
        #expect(single.probability(of: long.number)..<bound ~= long.probability(of: long.number))
    }

    @Test func `A picture that is too thin is refused, and the stream continues`() throws {
        let spec = try ModelSpec.named("seq_ugru_fs", encoder: .mobilenetV3Small)
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 32, width: 24, truncates: true), maximumFrames: 4,
            sampling: .even)
        let stream = FrameStream(SequenceReader(model: JerseyModel(spec, seed: 5).frozen(), loader: loader))
        try stream.add(images[0])
        let before = stream.digits
        #expect(throws: UsageError.self) { try stream.add(picture(1, width: 1, height: 200)) }
        #expect(stream.digits == before && stream.count == 1)
    }
}
