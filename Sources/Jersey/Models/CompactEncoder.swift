import Torch

/// A small residual network for crops of some fifty pixels: 22 million multiplications for 48×48; 96 features.
///
/// It halves its maps three times only, so that two digits beside each other stay some places apart.
struct CompactEncoder: FrameEncoder {
    let featureCount = 96
    let isQuantizable = true
    let stem: ConvNormActivation
    let blocks: [BasicBlock]

    /// outputs, stride
    static let table = [(48, 2), (48, 1), (96, 2), (96, 1)]

    init(_ scope: Scope) {
        stem = ConvNormActivation(scope / "stem", 3, 32, kernel: 3, stride: 2, activation: .relu)
        var inputs = 32
        var blocks: [BasicBlock] = []
        for (index, (outputs, stride)) in Self.table.enumerated() {
            blocks.append(BasicBlock(scope / "blocks" / index, inputs, outputs, stride: stride))
            inputs = outputs
        }
        self.blocks = blocks
    }

    func maps(_ frames: Tensor) -> Tensor { blocks.reduce(stem(frames)) { $1($0) } }
}
