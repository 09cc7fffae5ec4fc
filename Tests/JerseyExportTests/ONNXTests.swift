import Foundation
import Jersey
import TestSupport
import Testing
import Torch

@testable import JerseyExport

@Suite("ONNX")
struct ONNXTests {
    /// The model, and the file as a reader sees it.
    private func exported(_ spec: ModelSpec) throws -> (JerseyModel, ONNXModel) {
        let (model, card) = drawn(spec)
        return try withFolder { folder in
            let url = folder.appendingPathComponent("model.onnx")
            try ExportFormat.named("onnx").write(model, card, to: url)
            return (model, try ONNXModel(serializedBytes: Data(contentsOf: url)))
        }
    }

    private func shape(_ port: ONNXValueInfo) -> [String] {
        port.type.tensor.shape.dimensions.map { dimension in
            switch dimension.size {
            case .value(let value): "\(value)"
            case .parameter(let name): name
            case nil: "?"
            }
        }
    }

    @Test(arguments: everySpec)
    func `Every value is made once, before it is used, and every tensor is used`(_ spec: ModelSpec) throws {
        let (_, file) = try exported(spec)
        let graph = file.graph
        var known = Set(graph.inputs.map(\.name))
        for tensor in graph.initializers {
            #expect(known.insert(tensor.name).inserted, "two values named \(tensor.name)")
            let size = tensor.elementType == DType.float32.onnxCode ? 4 : 8
            #expect(tensor.raw.count == tensor.dims.reduce(size) { $0 * Int($1) })
        }
        for node in graph.nodes {
            for input in node.inputs {
                #expect(known.contains(input), "\(node.name) takes \(input), which nobody has made")
            }
            for output in node.outputs {
                #expect(known.insert(output).inserted, "two values named \(output)")
            }
        }
        for output in graph.outputs { #expect(known.contains(output.name)) }
        #expect(Set(graph.nodes.map(\.name)).count == graph.nodes.count)
        let used = Set(graph.nodes.flatMap(\.inputs))
        #expect(graph.initializers.allSatisfy { used.contains($0.name) })
        #expect(file.operatorSets.map(\.version) == [17] && file.irVersion == 8)
    }

    @Test(arguments: [ModelSpec.all[0], ModelSpec.all[13], ModelSpec.all[19]])
    func `Weights go in under their names, each once`(_ spec: ModelSpec) throws {
        let (model, file) = try exported(spec)
        let names = Set(file.graph.initializers.map(\.name))
        for entry in model.store.entries
        where entry.tensor.shape.count == 4 || entry.name.hasSuffix("running_var") {
            #expect(names.contains(entry.name), "\(entry.name) is missing")
        }
        let written = file.graph.initializers.reduce(0) { $0 + $1.raw.count }
        let size = model.store.entries.reduce(0) { $0 + $1.tensor.count * $1.tensor.dtype.size }
        // Masks, shapes and numbers are small.
        #expect(abs(written - size) < 4096)
    }

    @Test func `Inputs and outputs say what they are, and the card comes along`() throws {
        let (_, single) = try exported(ModelSpec.named("basic_mv3s"))
        #expect(single.graph.inputs.map(\.name) == ["frames"])
        #expect(single.graph.outputs.map(\.name) == ["tens", "ones"])
        #expect(single.graph.inputs.map(shape) == [["batch", "40", "32", "3"]])
        let (_, file) = try exported(ModelSpec.named("evidence_tied"))
        #expect(file.graph.inputs.map(shape) == [["batch", "length", "40", "32", "3"], ["batch"]])
        #expect(
            file.graph.inputs.map(\.type.tensor.elementType) == [DType.uint8.onnxCode, DType.int64.onnxCode])
        #expect(file.graph.outputs.map(\.name) == ["tens", "ones", "attention", "readability"])
        let shapes = [["batch", "11"], ["batch", "10"], ["batch", "length"], ["batch", "length"]]
        #expect(file.graph.outputs.map(shape) == shapes)
        let text = try #require(file.metadata.first { $0.key == "jersey" }?.value)
        #expect(
            try JSON.decoded(Checkpoint.Card.self, from: Data(text.utf8)).spec
                == ModelSpec.named("evidence_tied"))
    }

    @Test(
        arguments: [
            ("seq_urnn_fs", "RNN", [0]), ("seq_bgru_mp", "GRU", [1, 0, 2]),
            ("seq_blstm_mp", "LSTM", [0, 3, 1, 2]),
        ], [128, 20])
    func `Gates of recurrent layers are in ONNX's order`(
        _ layer: (name: String, type: String, order: [Int]), _ hidden: Int
    )
        throws
    {
        let (name, type, order) = layer
        let (model, file) = try exported(ModelSpec.named(name, encoder: .compact, hidden: hidden))
        let suffixes = name.hasPrefix("seq_b") ? ["", "_reverse"] : [""]
        let nodes = file.graph.nodes.filter { $0.operator == type }
        #expect(nodes.count == suffixes.count)
        let tensors = Dictionary(uniqueKeysWithValues: file.graph.initializers.map { ($0.name, $0.raw) })
        for (node, suffix) in zip(nodes, suffixes) {
            #expect(
                node.attributes.contains { $0.name == "linear_before_reset" && $0.int == 1 }
                    == (type == "GRU"))
            // No lengths, because OpenVINO ignores them.
            #expect(node.inputs.count == 4)
            for (input, weight) in [(1, "weight_ih_l0"), (2, "weight_hh_l0")] {
                let tensor = try #require(model.store.tensors["rnn.\(weight)\(suffix)"])
                let parts = order.map { tensor.narrowed(0, to: $0 * hidden..<($0 + 1) * hidden) }
                #expect(tensors[node.inputs[input]] == Tensor.concatenated(parts, over: 0).data)
            }
        }
    }

    @Test func `The same model gives the same bytes`() throws {
        let spec = try ModelSpec.named("attn_ugru_hc", encoder: .compact)
        #expect(try exported(spec).1.serializedData() == exported(spec).1.serializedData())
    }
}
