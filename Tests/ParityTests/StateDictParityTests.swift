import Crypto
import Foundation
import Jersey
import Testing
import Torch

@Suite("Checkpoint entries are the study's")
struct StateDictParityTests {
    @Test(.needs(.stateDict))
    func `The rule gives the check values`() throws {
        let checks = try Fixtures.stateDict.ruleChecks
        for (text, hash) in checks.fnv1a64 { #expect(fnv1a(text) == number(hash), "fnv1a64 of '\(text)'") }
        for (x, value) in checks.splitmix64 {
            #expect(WeightRule.splitMix64(try #require(number(x))) == number(value))
        }
        for (name, units) in checks.units {
            let values = WeightRule.values(name, count: units.count, scale: 1)
            expectClose(values.map(Double.init), units, within: 1e-7, name)
        }
    }

    private func number(_ text: String) -> UInt64? { UInt64(text.dropFirst(2), radix: 16) }

    @Test(.needs(.stateDict, .models), arguments: try Fixtures.stateDict.examples)
    func `The rule fills tensors and inputs alike`(_ example: StateDictFixture.Example) throws {
        let values: [Float]
        if let input = example.input {
            values = WeightRule.input(input, shape: example.shape).floats
        } else {
            let (model, name) = (try #require(example.model), try #require(example.tensor))
            let store = JerseyModel(try .named(model)).store
            let tensor = try #require(store.tensors[name])
            #expect(tensor.shape == example.shape)
            WeightRule.fill(store, gain: try Fixtures.gain(model))
            values = tensor.floats
        }
        expectClose(
            values.prefix(example.first4.count).map(Double.init), example.first4, within: 1e-7, "value")
        let sum = values.reduce(0) { $0 + Double($1) }
        expectClose([sum], [example.sum], within: 1e-6 * max(1, abs(example.sum)), "sum")
    }

    @Test(
        .needs(.stateDict),
        arguments: try Fixtures.stateDict.models.keys.sorted())
    func `A model has the study's tensors, names and shapes`(_ name: String) throws {
        let fixture = try Fixtures.stateDict
        let expected = try #require(fixture.models[name])
        let backbone = try #require(fixture.backbones[expected.backbone])
        var shapes = Dictionary(uniqueKeysWithValues: backbone.map { (expected.prefix + $0.name, $0.shape) })
        for entry in expected.own { shapes[entry.name] = entry.shape }

        let store = JerseyModel(try .named(name, encoder: EncoderKind(rawValue: expected.backbone))).store
        let found = store.tensors.mapValues(\.shape)
        #expect(Set(found.keys).symmetricDifference(shapes.keys).sorted() == [])
        for (entry, shape) in found { #expect(shape == shapes[entry], "\(entry)") }
    }

    @Test(
        .needs(.models),
        arguments: try Fixtures.models.models.keys.sorted())
    func `A model's make-up, parameter count and digest are the study's`(_ name: String) throws {
        let expected = try #require(try Fixtures.models.models[name])
        let model = JerseyModel(try .named(name, encoder: EncoderKind(rawValue: expected.backbone)))
        #expect(model.store.parameterCount == expected.parameters)
        #expect(model.store.entries.count == expected.stateEntries)
        let lines = model.store.entries.map { entry in
            Data((entry.name + " " + entry.tensor.shape.map(String.init).joined(separator: "x") + "\n").utf8)
        }
        let text = lines.sorted { $0.lexicographicallyPrecedes($1) }.reduce(Data(), +)
        #expect(SHA256.hash(data: text).hexadecimal == expected.stateDigest)

        #expect(model.spec.phase.rawValue == expected.phase)
        #expect(model.spec.encoder.rawValue == expected.backbone)
        #expect(model.spec.temporal.map { "\($0.cell)" } == expected.recurrent)
        #expect(model.spec.temporal?.bidirectional == expected.bidirectional)
        #expect(model.spec.temporal?.hidden == expected.hidden)
        #expect(model.store.tensors["fc_ones.weight"]?.shape == [10, expected.headFeatureDim])
    }
}

extension Digest {
    var hexadecimal: String { map { String(format: "%02x", $0) }.joined() }
}
