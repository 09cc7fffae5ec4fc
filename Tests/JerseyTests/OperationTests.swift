import Testing
import Torch

@testable import Jersey

@Suite("Operations")
struct OperationTests {
    /// The operations of one pass of `body`.
    private func operations(_ body: (Pass) -> Void) -> OperationMeter {
        let meter = OperationMeter()
        withoutGradients { body(Pass(meter: meter)) }
        return meter
    }

    @Test(
        arguments: [
            (EncoderKind.resnet18, 512, 1.814), (.efficientnetB0, 1280, 0.3858),
            (.mobilenetV3Large, 1280, 0.2166),
            (.mobilenetV3Small, 1024, 0.0565), (.shufflenetV2, 1024, 0.1449),
        ])
    func
        `With a classifier of 1000 classes, an encoder needs the operations that torchvision gives for 224 x 224 pixels`(
            _ kind: EncoderKind, _ features: Int, _ billions: Double
        ) throws
    {
        let model = JerseyModel(try ModelSpec.named("basic_r18", encoder: kind))
        let one = operations { _ = model.encode(.zeros([1, 3, 224, 224]), $0) }
        #expect(abs(Double(one.multiplyAccumulates + features * 1000) / 1e9 / billions - 1) < 0.002)
        #expect(one.activations > 1_000_000)
    }

    @Test func `Frames cost alike, and each layer what its weights say`() throws {
        let model = JerseyModel(try ModelSpec.named("seq_bgru_mp", encoder: .mobilenetV3Small))
        let frame = operations { _ = model.encode(.zeros([1, 3, 32, 32]), $0) }
        let sequence = operations { _ = model(.zeros([5, 3, 32, 32]), lengths: [3, 2], $0) }
        // Three gates, two directions, 1024 features, 128 units; then 11 and 10 classes per
        // sequence.
        let gru = 5 * 2 * 3 * 128 * (1024 + 128)
        let heads = 2 * (11 + 10) * 256
        #expect(sequence.multiplyAccumulates == 5 * frame.multiplyAccumulates + gru + heads)
        #expect(sequence.activations == 5 * frame.activations + 5 * 256 + 2 * 21)
        let count = sequence.multiplyAccumulates
        _ = withoutGradients { model(.zeros([1, 3, 32, 32]), lengths: [1]) }
        #expect(sequence.multiplyAccumulates == count)
    }
}
