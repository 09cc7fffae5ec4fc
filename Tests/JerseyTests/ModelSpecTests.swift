import Foundation
import Testing

@testable import Jersey

@Suite struct ModelSpecTests {
    /// Every model in the form of cards from before there were families, and some with another
    /// encoder, another width, or a head for whole numbers.
    private static let cards = #"""
        {"encoder":"resnet18","name":"basic_r18","phase":"0","pooling":{"none":{}}}
        {"encoder":"efficientnet_b0","name":"basic_effb0","phase":"0","pooling":{"none":{}}}
        {"encoder":"efficientnet_b0","name":"basic_effl0","phase":"0","pooling":{"none":{}}}
        {"encoder":"mobilenet_v3_large","name":"basic_mv3l","phase":"0","pooling":{"none":{}}}
        {"encoder":"mobilenet_v3_small","name":"basic_mv3s","phase":"0","pooling":{"none":{}}}
        {"encoder":"shufflenet_v2_x1_0","name":"basic_sv2","phase":"0","pooling":{"none":{}}}
        {"encoder":"resnet18","name":"seq_brnn_mp","phase":"A","pooling":{"mean":{}},"temporal":{"bidirectional":true,"cell":0,"hidden":128}}
        {"encoder":"resnet18","name":"seq_urnn_fs","phase":"A","pooling":{"final":{}},"temporal":{"bidirectional":false,"cell":0,"hidden":128}}
        {"encoder":"resnet18","name":"seq_bgru_mp","phase":"A","pooling":{"mean":{}},"temporal":{"bidirectional":true,"cell":1,"hidden":128}}
        {"encoder":"resnet18","name":"seq_ugru_fs","phase":"A","pooling":{"final":{}},"temporal":{"bidirectional":false,"cell":1,"hidden":128}}
        {"encoder":"resnet18","name":"seq_blstm_mp","phase":"A","pooling":{"mean":{}},"temporal":{"bidirectional":true,"cell":2,"hidden":128}}
        {"encoder":"resnet18","name":"seq_ulstm_fs","phase":"A","pooling":{"final":{}},"temporal":{"bidirectional":false,"cell":2,"hidden":128}}
        {"encoder":"resnet18","name":"attn_bgru_bahdanau","phase":"B","pooling":{"additive":{"width":128}},"temporal":{"bidirectional":true,"cell":1,"hidden":128}}
        {"encoder":"resnet18","name":"attn_bgru_luong","phase":"B","pooling":{"dotProduct":{"width":128}},"temporal":{"bidirectional":true,"cell":1,"hidden":128}}
        {"encoder":"resnet18","name":"attn_bgru_gate","phase":"B","pooling":{"gate":{"width":64}},"temporal":{"bidirectional":true,"cell":1,"hidden":128}}
        {"encoder":"resnet18","name":"attn_bgru_hc","phase":"B","pooling":{"topK":{"count":3,"width":64}},"temporal":{"bidirectional":true,"cell":1,"hidden":128}}
        {"encoder":"resnet18","name":"attn_ugru_gate","phase":"B","pooling":{"gate":{"width":64}},"temporal":{"bidirectional":false,"cell":1,"hidden":128}}
        {"encoder":"resnet18","name":"attn_ugru_hc","phase":"B","pooling":{"topK":{"count":3,"width":64}},"temporal":{"bidirectional":false,"cell":1,"hidden":128}}
        {"encoder":"efficientnet_lite0","name":"basic_efflite0","phase":"0","pooling":{"none":{}}}
        {"digitHeads":"tied","encoder":"compact","name":"evidence_tied","phase":"E","pooling":{"evidence":{}}}
        {"encoder":"compact","name":"evidence_independent","phase":"E","pooling":{"evidence":{}}}
        {"encoder":"compact","fullHead":true,"name":"basic_mv3s","phase":"0","pooling":{"none":{}}}
        {"encoder":"compact","fullHead":true,"name":"seq_ugru_fs","phase":"A","pooling":{"final":{}},"temporal":{"bidirectional":false,"cell":1,"hidden":128}}
        {"digitHeads":"tied","encoder":"compact","fullHead":true,"name":"evidence_tied","phase":"E","pooling":{"evidence":{}}}
        {"encoder":"compact","name":"attn_bgru_luong","phase":"B","pooling":{"dotProduct":{"width":128}},"temporal":{"bidirectional":true,"cell":1,"hidden":24}}
        {"encoder":"compact","name":"seq_ulstm_fs","phase":"A","pooling":{"final":{}},"temporal":{"bidirectional":false,"cell":2,"hidden":24}}
        {"encoder":"compact","name":"attn_ugru_hc","phase":"B","pooling":{"topK":{"count":3,"width":64}},"temporal":{"bidirectional":false,"cell":1,"hidden":24}}
        {"encoder":"resnet18","fullHead":true,"name":"basic_r18","phase":"0","pooling":{"none":{}}}
        {"encoder":"resnet18","fullHead":true,"name":"attn_ugru_hc","phase":"B","pooling":{"topK":{"count":3,"width":64}},"temporal":{"bidirectional":false,"cell":1,"hidden":24}}
        {"encoder":"compact","fullHead":true,"name":"evidence_independent","phase":"E","pooling":{"evidence":{}}}
        """#

    @Test(arguments: cards.split(separator: "\n").map(String.init))
    func `A model of a card from before is read, and written byte for byte as it was`(_ text: String) throws {
        let spec = try JSON.decoded(ModelSpec.self, from: Data(text.utf8))
        #expect(JSON.text(try JSON.line(spec)) == text)
        var known = try ModelSpec.named(spec.name, encoder: spec.encoder, hidden: spec.temporal?.hidden)
        known.hasFullHead = text.contains("fullHead")
        #expect(spec == known)
    }

    @Test(
        arguments: [
            #"{"encoder":"compact","name":"x","phase":"A","pooling":{"mean":{}}}"#,
            #"{"encoder":"compact","name":"x","phase":"A","pooling":{"none":{}},"temporal":{"bidirectional":true,"cell":0,"hidden":8}}"#,
            #"{"encoder":"compact","name":"x","phase":"E","pooling":{"evidence":{}},"temporal":{"bidirectional":true,"cell":0,"hidden":8}}"#,
            #"{"digitHeads":"tied","encoder":"compact","name":"x","phase":"A","pooling":{"mean":{}},"temporal":{"bidirectional":true,"cell":0,"hidden":8}}"#,
        ])
    func `Parts that no family has together are refused`(_ text: String) {
        #expect(throws: DecodingError.self) { try JSON.decoded(ModelSpec.self, from: Data(text.utf8)) }
    }

    @Test(arguments: ModelSpec.all)
    func `What a family says before a network is built is what its network does`(_ spec: ModelSpec) throws {
        let spec = try ModelSpec.named(spec.name, encoder: .compact)
        let model = JerseyModel(spec, seed: 1)
        #expect(model.store.entries.contains { $0.name.hasPrefix(spec.encoderPath) })
        let targets = model.learningTargets(
            .normal([3, 3, 32, 32], deviation: 1, seed: 2), lengths: [1, 1, 1], isPadded: false,
            numbers: [
                JerseyNumber("7"), JerseyNumber("12"), spec.learnsFromUnreadable ? nil : JerseyNumber("1"),
            ],
            .training(seed: 1))
        #expect(targets.tens.shape[0] == targets.labels.tens.shape[0])
        #expect((targets.readability != nil) == spec.learnsFromUnreadable)
    }
}
