import Foundation
import Jersey
import TestSupport
import Testing
import Torch

@testable import JerseyExport

@Suite("Export formats")
struct ExportFormatTests {
    private func written(
        _ format: String, _ spec: ModelSpec, half: Bool = false, _ body: (JerseyModel, URL) throws -> Void
    ) throws {
        try withFolder { folder in
            let (model, card) = drawn(spec)
            let url = folder.appendingPathComponent("model")
            try ExportFormat.named(format).write(model, card, half: half, to: url)
            try body(model, url)
        }
    }

    @Test(arguments: ModelSpec.all)
    func `A checkpoint for the study's code is read back with every entry as it was`(_ spec: ModelSpec) throws
    {
        try written("pth", spec) { model, url in
            let tensors = try PthFile(contentsOf: url).tensors
            #expect(Set(tensors.keys) == Set(model.store.entries.map(\.name)))
            for entry in model.store.entries {
                let tensor = try #require(tensors[entry.name])
                #expect(tensor.dtype == entry.tensor.dtype && tensor.shape == entry.tensor.shape)
                #expect(tensor.data == entry.tensor.data, "\(entry.name) is another")
            }
            let card = try Checkpoint(contentsOf: url).card
            #expect(card.spec == spec && card.height == 40 && card.width == 32)
        }
    }

    @Test(arguments: [false, true])
    func `Safetensors in float16 take half the space, and are read again as weights`(_ half: Bool) throws {
        let spec = try ModelSpec.named("evidence_tied")
        try written("safetensors", spec, half: half) { model, url in
            let checkpoint = try Checkpoint(contentsOf: url)
            #expect(checkpoint.card.spec == spec && checkpoint.card.height == 40)
            let weight = try #require(checkpoint.tensors["digits.queries"])
            #expect(weight.dtype == (half ? .float16 : .float32))
            let read = try checkpoint.model(on: .cpu, path: url.path)
            for (entry, other) in zip(model.store.entries, read.store.entries) {
                #expect(other.tensor.dtype == entry.tensor.dtype)
                if entry.tensor.shape.count > 0 {
                    #expect(difference(other.tensor, entry.tensor) < (half ? 1e-3 : 1e-9))
                }
            }
            let size = try Data(contentsOf: url).count
            let values = model.store.entries.reduce(0) { $0 + $1.tensor.count }
            #expect(abs(size - values * (half ? 2 : 4)) < 16384)
        }
    }

    @Test func `A weight that float16 cannot hold is named, and nothing is written`() throws {
        try withFolder { folder in
            let (model, card) = drawn(try ModelSpec.named("evidence_tied"))
            let bias = try #require(model.store.tensors["digits.blank.bias"])
            bias.copy(from: Tensor([Float(1e6)]))
            let url = folder.appendingPathComponent("model")
            #expect(
                throws: UsageError("digits.blank.bias has values that float16 cannot hold; write float32")
            ) {
                try ExportFormat.safetensors.write(model, card, half: true, to: url)
            }
            #expect(!FileManager.default.fileExists(atPath: url.path))
        }
    }

    @Test func `Formats are found by their names; an unknown one is met with those that come close`() throws {
        for format in ExportFormat.all { #expect(try ExportFormat.named(format.name).name == format.name) }
        let error = #expect(throws: UsageError.self) { try ExportFormat.named("onx") }
        #expect(error?.description.hasPrefix("there is no format 'onx'; did you mean onnx?") == true)
    }

    @Test(arguments: ExportFormat.all.filter { !$0.allowsHalf }.map(\.name))
    func `float16 is refused where the format has none`(_ name: String) throws {
        let error = #expect(throws: UsageError.self) {
            try written(name, ModelSpec.named("evidence_tied"), half: true) { _, _ in }
        }
        #expect(error?.description == "\(name) files hold only float32; use safetensors for float16")
    }

    @Test(arguments: ExportFormat.all.map(\.name))
    func `A folder that is not there is an error that names the file`(_ name: String) throws {
        let (model, card) = drawn(try ModelSpec.named("evidence_tied"))
        let url = URL(fileURLWithPath: "/nowhere/model")
        let error = #expect(throws: FileError.self) {
            try ExportFormat.named(name).write(model, card, to: url)
        }
        #expect(error?.path == url.path)
    }

    @Test func `A model that reads as published is exported without what depends on the batch`() throws {
        let spec = try ModelSpec.named("attn_ugru_hc", encoder: .compact)
        let (ours, card) = drawn(spec)
        let published = JerseyModel(spec, seed: 7, published: true)
        published.store.load(ours.store.tensors)
        #expect(
            try TorchScriptFile.source(of: Network(published, card))
                == TorchScriptFile.source(of: Network(ours, card)))
    }
}
