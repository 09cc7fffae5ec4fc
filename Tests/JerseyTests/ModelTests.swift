import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Models")
struct ModelTests {
    // MARK: names

    @Test(arguments: ModelSpec.all)
    func `Every model is found by its name, with another encoder too`(_ spec: ModelSpec) throws {
        #expect(try ModelSpec.named(spec.name) == spec)
        #expect(try ModelSpec.named(spec.name, encoder: .shufflenetV2).encoder == .shufflenetV2)
        #expect(ModelSpec.all.filter { $0.name == spec.name }.count == 1)
        #expect(try JSONDecoder().decode(ModelSpec.self, from: JSONEncoder().encode(spec)) == spec)
        #expect(
            spec.readsAnchorOnly == (spec.phase == .singleFrame)
                && spec.usesDiscriminativeRates == [.sequence, .attention].contains(spec.phase))
    }

    @Test(
        arguments: [
            ("basic", EncoderKind.efficientnetB0, "basic_effb0", "basic_effb0"),
            ("basic_effl0", .efficientnetB0, "basic_effl0", "basic_effl0"),
            ("basic_sv2", .resnet18, "basic_r18", "basic_r18"),
            ("basic", .compact, "basic_r18", "basic_r18 (compact)"),
            ("seq_bgru_mp", .mobilenetV3Small, "seq_bgru_mp", "seq_bgru_mp (mobilenet_v3_small)"),
            ("evidence_tied", .compact, "evidence_tied", "evidence_tied"),
        ])
    func
        `A model with another encoder has its own name where it is in the list, and else a title with the encoder's`(
            _ word: String, _ encoder: EncoderKind, _ name: String, _ title: String
        ) throws
    {
        let spec = try ModelSpec.named(word, encoder: encoder)
        #expect(spec.encoder == encoder && spec.name == name && spec.title == title)
    }

    @Test(arguments: ModelSpec.aliases.keys.sorted())
    func `Every alias stands for a model, and hides none`(_ alias: String) throws {
        #expect(try ModelSpec.named(alias).name == ModelSpec.aliases[alias])
        #expect(!ModelSpec.all.contains { $0.name == alias })
    }

    @Test(
        arguments: [
            ("attn_bgru_luon", "attn_bgru_luong"), ("basic_r81", "basic_r18"), ("SEQ_BGRU_MP", "seq_bgru_mp"),
            ("anchr", "anchor"),
        ])
    func `An unknown name is answered with close matches`(_ name: String, _ suggestion: String) {
        let error = #expect(throws: UsageError.self) { try ModelSpec.named(name) }
        #expect(error?.description.hasPrefix("there is no model '\(name)'; did you mean ") == true)
        #expect(error?.description.contains(suggestion) == true)
        #expect(throws: UsageError("there is no model 'transformer'", remedy: .modelList)) {
            try ModelSpec.named("transformer")
        }
    }

    @Test(arguments: EncoderKind.allCases)
    func `Every encoder is found by its name in any case`(_ kind: EncoderKind) {
        #expect(
            EncoderKind.find(kind.rawValue) == kind && EncoderKind.find(kind.rawValue.uppercased()) == kind)
        #expect(EncoderKind.find(kind.rawValue + "x") == nil)
    }

    // MARK: results

    private static let lengths = [2, 4, 1]

    /// The frames of three sequences, one tensor each.
    private func frames(_ size: (Int, Int) = (32, 32)) -> [Tensor] {
        Self.lengths.enumerated().map { .normal([$1, 3, size.0, size.1], deviation: 1, seed: UInt64($0)) }
    }

    private func rows(_ tensor: Tensor) -> [[Float]] {
        let (values, width) = (tensor.floats, tensor.shape[1])
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }

    @Test(arguments: ModelSpec.all)
    func `Shapes are right; results depend neither on padding nor on the rest of the batch`(_ spec: ModelSpec)
    {
        let model = JerseyModel(spec, seed: 1)
        let sequences = frames()
        withoutGradients {
            let packed = model(.concatenated(sequences, over: 0), lengths: Self.lengths)
            let count = spec.readsAnchorOnly ? 7 : 3
            #expect(packed.tens.shape == [count, 11] && packed.ones.shape == [count, 10])
            #expect(packed.tens.isFinite && packed.ones.isFinite)
            #expect(
                (packed.attention != nil)
                    == ([.attention, .evidence].contains(spec.phase) || spec.pooling == .mean))
            if let attention = packed.attention {
                for (row, length) in zip(rows(attention), Self.lengths) {
                    #expect(
                        row.count == 4 && row.dropFirst(length).allSatisfy { $0 == 0 }
                            && abs(row.reduce(0, +) - 1) < 1e-5)
                }
            }
            for (index, length) in Self.lengths.enumerated() where !spec.readsAnchorOnly {
                let alone = model(sequences[index], lengths: [length])
                #expect(isClose(alone.tens.floats, rows(packed.tens)[index], within: 1e-4))
                #expect(isClose(alone.ones.floats, rows(packed.ones)[index], within: 1e-4))
            }
            guard !spec.readsAnchorOnly else { return }
            let padding =
                zip(sequences, Self.lengths).map {
                    .concatenated([$0, .full([4 - $1, 3, 32, 32], 3)], over: 0)
                } as [Tensor]
            let padded = model(.concatenated(padding, over: 0), lengths: Self.lengths, isPadded: true)
            #expect(isClose(padded.tens.floats, packed.tens.floats, within: 1e-4))
            #expect(isClose(padded.ones.floats, packed.ones.floats, within: 1e-4))
        }
    }

    @Test(
        arguments: ModelSpec.all.filter {
            if case .topK = $0.pooling { true } else { false }
        })
    func `Published top-k weighs all frames alike when any sequence is padded; ours never does`(
        _ spec: ModelSpec
    ) {
        var spec = spec
        spec.encoder = .mobilenetV3Small
        let (ours, published) = (JerseyModel(spec, seed: 1), JerseyModel(spec, seed: 1, published: true))
        withoutGradients {
            let all = Tensor.concatenated(frames(), over: 0)
            #expect(
                isClose(
                    published(all, lengths: Self.lengths).attention!.floats,
                    [0.5, 0.5, 0, 0, 0.25, 0.25, 0.25, 0.25, 1, 0, 0, 0],
                    within: 1e-4))
            #expect(rows(ours(all, lengths: Self.lengths).attention!)[1].filter { $0 > 0 }.count == 3)
            let full = Tensor.concatenated([frames()[1], frames()[1]], over: 0)
            #expect(published(full, lengths: [4, 4]).tens.floats == ours(full, lengths: [4, 4]).tens.floats)
        }
    }

    @Test(
        arguments: EncoderKind.allCases)
    func `A sequence model runs with every encoder at odd sizes, and the same seed gives the same weights`(
        _ kind: EncoderKind
    )
        throws
    {
        let spec = try ModelSpec.named("attn_ugru_gate", encoder: kind)
        let model = JerseyModel(spec, seed: 3)
        let output = withoutGradients {
            model(.concatenated(frames((37, 33)), over: 0), lengths: Self.lengths)
        }
        #expect(output.tens.shape == [3, 11] && output.tens.isFinite)
        let again = JerseyModel(spec, seed: 3)
        #expect(again.store.mismatches(with: model.store.tensors).isEmpty)
        #expect(
            zip(model.store.entries, again.store.entries).allSatisfy { $0.tensor.floats == $1.tensor.floats })
        #expect(
            model.store.entries.allSatisfy { ($0.group == "encoder") == $0.name.hasPrefix(model.encoderPath) }
        )
    }

    @Test(arguments: ["basic_mv3s", "attn_ugru_gate"])
    func `A head for the full number comes last, and changes nothing else`(_ name: String) throws {
        var spec = try ModelSpec.named(name, encoder: .mobilenetV3Small)
        let plain = JerseyModel(spec, seed: 1)
        let text = try JSONEncoder().encode(spec)
        #expect(!String(decoding: text, as: UTF8.self).contains("full"))
        spec.hasFullHead = true
        #expect(try JSONDecoder().decode(ModelSpec.self, from: JSONEncoder().encode(spec)) == spec)
        let model = JerseyModel(spec, seed: 1)
        #expect(
            model.store.entries.map(\.name) == plain.store.entries.map(\.name) + [
                "fc_full.weight", "fc_full.bias",
            ])
        withoutGradients {
            let frames = Tensor.concatenated(frames(), over: 0)
            let (a, b) = (model(frames, lengths: Self.lengths), plain(frames, lengths: Self.lengths))
            #expect(
                a.tens.floats == b.tens.floats && b.full == nil && a.full?.shape == [a.tens.shape[0], 110])
        }
    }

    // MARK: training

    private func gradients(_ model: JerseyModel) -> [(entry: Entry, size: Double?)] {
        let frames = Tensor.concatenated(frames((40, 40)), over: 0)
        let output = model(frames, lengths: Self.lengths, .training(seed: 5))
        let (tens, ones) = (output.tens.shape[0], output.ones.shape[0])
        let loss =
            crossEntropy(output.tens, Tensor((0..<tens).map { Int64($0 % 11) }))
            + crossEntropy(output.ones, Tensor((0..<ones).map { Int64($0 % 10) }))
        loss.backward()
        return model.store.trainable.map {
            ($0, $0.tensor.gradient.map { ($0 * $0).floats.reduce(0) { $0 + Double($1) } })
        }
    }

    @Test(arguments: EncoderKind.allCases)
    func `A gradient reaches every parameter of every encoder`(_ kind: EncoderKind) throws {
        for (entry, size) in gradients(
            JerseyModel(try ModelSpec.named("seq_bgru_mp", encoder: kind), seed: 2))
        {
            #expect(size.map { $0 > 0 && $0.isFinite } == true, "\(entry.name): \(size ?? -1)")
        }
    }

    @Test(arguments: ModelSpec.all.filter { !$0.readsAnchorOnly })
    func `A gradient reaches every parameter of every way to pool`(_ spec: ModelSpec) {
        var spec = spec
        spec.encoder = .mobilenetV3Small
        // A bias that raises all scores alike changes nothing, so its gradient is close to zero.
        let idle = ["attn_key.bias", "gate_mlp.2.bias", "score_mlp.2.bias"]
        for (entry, size) in gradients(JerseyModel(spec, seed: 2)) where entry.group != "encoder" {
            #expect(size.map { $0 > 0 || idle.contains(entry.name) } == true, "\(entry.name): \(size ?? -1)")
        }
    }

    // MARK: gradients

    @Test(arguments: EncoderKind.allCases)
    func `A model's gradient is float64's but for rounding`(_ encoder: EncoderKind) throws {
        let spec = try ModelSpec.named("attn_bgru_luong", encoder: encoder)
        func gradients(_ dtype: DType, byLibtorch: Bool = false) -> [Tensor] {
            let model = JerseyModel(spec, seed: 5, dtype: dtype)
            // Keeps most values away from zero, where rounding would decide on which side of ReLU
            // they fall.
            let tensors = model.store.tensors
            for (name, bias) in tensors
            where tensors[name.replacing(".bias", with: ".running_mean")] != nil && name.hasSuffix(".bias") {
                bias.copy(from: bias.detached() * 0 + 3)
            }
            let frames = Tensor.normal([7, 3, 64, 32], deviation: 1, seed: 9).to(dtype: dtype).contiguous(
                channelsLast: true)
            let output = withAutocast(byLibtorch ? dtype : nil, on: .cpu) {
                model(frames, lengths: Self.lengths, .training(seed: 1))
            }
            let labels = Tensor([1, 2, 3] as [Int64])
            (crossEntropy(output.tens, labels) + crossEntropy(output.ones, labels)).backward()
            return model.store.trainable.compactMap { $0.tensor.gradient?.contiguous().to(dtype: .float64) }
        }
        let exact = gradients(.float64)
        func error(_ found: [Tensor]) -> Double {
            func square(_ tensor: Tensor) -> Double {
                (tensor * tensor).reshaped(tensor.count).sum(over: 0).item
            }
            let difference = zip(found, exact).map { square($0 - $1) }.reduce(0, +)
            return (difference / exact.map(square).reduce(0, +)).squareRoot()
        }
        #expect(
            error(gradients(.float32)) < 1e-4,
            "where libtorch has \(error(gradients(.float32, byLibtorch: true)))")
    }
}
