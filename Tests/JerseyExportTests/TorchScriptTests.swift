import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey
@testable import JerseyExport

@Suite("TorchScript")
struct TorchScriptTests {
    private static let batches = [[1], [4], [2, 5, 1], [16, 3]]

    @Test(
        arguments: everySpec)
    func
        `A file that libtorch loads gives the model's logits and weights, whatever the batch, the lengths and the padding`(
            _ spec: ModelSpec
        ) throws
    {
        let (model, card) = drawn(spec)
        let module = try withFolder { folder in
            let url = folder.appendingPathComponent("model.pt")
            try ExportFormat.named("torchscript").write(model, card, to: url)
            return try ScriptModule(contentsOf: url)
        }
        for (index, lengths) in Self.batches.enumerated() {
            let frames = Tensor.uniform(
                [lengths.count, lengths.max()!, card.height, card.width, 3], 0...255.99, seed: UInt64(index)
            ).to(dtype: .uint8)
            let valid = Tensor.concatenated(
                lengths.enumerated().map { frames.selected(0, at: $0).narrowed(0, to: 0..<$1) }, over: 0)
            let expected = withoutGradients {
                model(FramePreprocessor.normalized(valid, on: .cpu), lengths: lengths)
            }
            let inputs = spec.readsAnchorOnly ? [valid] : [frames, Tensor(lengths.map(Int64.init))]
            #expect(difference(try module(inputs, output: "tens"), expected.tens) < 1e-4)
            #expect(difference(try module(inputs, output: "ones"), expected.ones) < 1e-4)
            if let full = expected.full {
                #expect(difference(try module(inputs, output: "full"), full) < 1e-4)
            }
            if let attention = expected.attention, spec.pooling != .mean {
                #expect(difference(try module(inputs, output: "attention"), attention) < 1e-4)
            }
        }
    }

    @Test func `A file of a calibrated model that judges frames weighs looks as the program does`() throws {
        var (model, card) = drawn(try ModelSpec.named("evidence_tied"))
        let calibration = ModelCalibration(
            temperature: 1, threshold: 0.5, precision: 1, coverage: 1, sequences: 1,
            looks: .init(variety: 3, readability: 0.4))
        card.calibration = calibration
        let module = try withFolder { folder in
            let url = folder.appendingPathComponent("model.pt")
            try ExportFormat.named("torchscript").write(model, card, to: url)
            return try ScriptModule(contentsOf: url)
        }
        let frames = Tensor.uniform([1, 5, card.height, card.width, 3], 0...255.99, seed: 3).to(dtype: .uint8)
        let read = withoutGradients {
            let pixels = FramePreprocessor.normalized(frames.selected(0, at: 0), on: .cpu)
            let compiled = model.frozen()
            return compiled.sequenceOutputs(compiled(pixels, lengths: [5]), lengths: [5])[0]
        }
        let inputs = [frames, Tensor([5] as [Int64])]
        let exported = DigitDistribution(
            tens: try module(inputs, output: "tens").floats.map(Double.init),
            ones: try module(inputs, output: "ones").floats.map(Double.init))
        let expected = calibration.calibrated(read.digits, read.sum)
        #expect(expected != read.digits)
        for (a, b) in zip(exported.tens + exported.ones, expected.tens + expected.ones) {
            #expect(abs(a - b) < 1e-4)
        }
    }

    @Test(arguments: [Data(), Data("PK".utf8), Data(count: 4096)])
    func `A file that is not TorchScript is refused by name`(_ data: Data) throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("model.pt")
            try data.write(to: url)
            let error = #expect(throws: FileError.self) { try ScriptModule(contentsOf: url) }
            #expect(error?.path == url.path && error?.reason.hasPrefix("is not a TorchScript file") == true)
        }
    }

    @Test func `Source that is wrong is refused with the compiler's reason`() {
        let error = #expect(throws: TorchError.self) {
            try ScriptModule(
                name: "Broken", source: "def forward(self, x):\n    return torch.no_such_thing(x)\n",
                buffers: [])
        }
        #expect(error?.description.contains("no_such_thing") == true)
    }
}
