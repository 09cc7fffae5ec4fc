import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Grad-CAM")
struct GradCAMTests {
    /// Single-frame models with their own encoders, other models with a small one.
    private static let specs = ModelSpec.all.map { spec in
        var spec = spec
        if !spec.readsAnchorOnly { spec.encoder = .mobilenetV3Small }
        return spec
    }

    @Test(arguments: specs)
    func `Every model has a map of 0...1 for each frame, and is left as it was`(_ spec: ModelSpec) throws {
        let model = JerseyModel(spec, seed: 1)
        let frames = Tensor.normal([3, 3, 96, 64], deviation: 1, seed: 2)
        let known = try #require(model.store.trainable.last)
        (known.tensor * 2).sum(over: 0).backward()
        // Even if the caller records no graph.
        let explained = withoutGradients { GradCAM(frames, used: [0, 2, 5], model: model.frozen()) }
        #expect(explained.used == [0, 2, 5] && explained.maps.count == 3)
        #expect(
            explained.maps.allSatisfy {
                $0.height == 3 && $0.width == 2 && $0.values.allSatisfy { 0...1 ~= $0 }
            })
        #expect(explained.maps.flatMap(\.values).max() == 1)

        for entry in model.store.trainable where entry.name != known.name {
            #expect(entry.tensor.gradient == nil, "\(entry.name)")
        }
        #expect(known.tensor.gradient?.floats.allSatisfy { $0 == 2 } == true)
        (known.tensor * 1).sum(over: 0).backward()
        #expect(known.tensor.gradient?.floats.allSatisfy { $0 == 3 } == true)

        let again = GradCAM(frames, used: [0, 2, 5], model: model.frozen(), for: explained.number)
        #expect(again.maps == explained.maps)
        #expect(
            GradCAM(frames, used: [0, 2, 5], model: model.frozen(), for: JerseyNumber("07")).number
                == JerseyNumber("07"))
    }

    @Test(arguments: 0..<4, ["basic_r18", "attn_bgru_luong"])
    func `Warmth lies where there is something to see`(_ corner: Int, _ name: String) throws {
        let (bottom, right) = (corner / 2, corner % 2)
        // Without biases, a fresh network maps zeros to zeros.
        let model = JerseyModel(try ModelSpec.named(name), seed: 3)
        let blank = Tensor.zeros([2, 3, 256, 256])
        let patch = Tensor.normal([3, 32, 32], deviation: 1, seed: 4)
        blank.selected(0, at: 1).narrowed(1, to: bottom * 224..<bottom * 224 + 32).narrowed(
            2, to: right * 224..<right * 224 + 32
        )
        .copy(from: patch)
        let maps = GradCAM(blank, used: [0, 1], model: model.frozen()).maps
        #expect(maps[0].values.allSatisfy { $0 == 0 })
        let values = maps[1].values
        let here = values.indices.filter { ($0 / 8 / 4, $0 % 8 / 4) == (bottom, right) }
        #expect(values.max() == 1 && here.contains { values[$0] == 1 })
        #expect(here.reduce(0) { $0 + values[$1] } > 0.8 * values.reduce(0, +))
    }

    @Test
    func
        `A sequence on disk is explained by the frames that can be read; one without is an error with its reason`()
        throws
    {
        try withFolder { folder throws in
            for name in ["0", "2"] {
                try folder.add("\(name).png", picture(1, width: 20, height: 30).pngData())
            }
            func sequence(_ names: String...) -> FrameSequence {
                FrameSequence(
                    id: "s", track: "t", number: nil, frames: names.map { folder.path + "/\($0).png" },
                    anchor: nil)
            }
            let model = JerseyModel(try ModelSpec.named("seq_ugru_fs", encoder: .mobilenetV3Small))
            let loader = SequenceLoader(
                preprocessor: FramePreprocessor(height: 64, width: 32), maximumFrames: 4, sampling: .even)
            let reader = SequenceReader(model: model.frozen(), loader: loader)
            let explained = try reader.gradCAM(of: sequence("0", "1", "2"))
            #expect(explained.used == [0, 2] && explained.maps.map(\.height) == [2, 2])
            let (readings, _) = try reader.readAll([sequence("0", "2")])
            #expect(explained.number == readings.first?.number)
            let error = #expect(throws: UnreadableSequence.self) { try reader.gradCAM(of: sequence("1")) }
            #expect(error?.description.contains("1.png does not exist") == true)
        }
    }
}
