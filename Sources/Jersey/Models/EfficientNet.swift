import Torch

/// EfficientNet (Tan & Le 2019) without its classifier; 1280 features.
enum EfficientNet {
    enum Variant {
        case b0
        /// For accelerators: no squeeze-and-excitation, ReLU6.
        case lite0
    }

    /// expansion, kernel, stride, outputs, repeats: table 1 of the paper.
    static let table = [
        (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    ]

    static func layers(_ scope: Scope, _ variant: Variant) -> [any CompilableLayer] {
        let activation: Activation = variant == .b0 ? .silu : .relu6
        let style = variant == .b0 ? Block.Style() : Block.Style(norm: .mobile, padding: .tensorFlowSame)
        let scope = scope / "features"
        var layers: [any CompilableLayer] = [
            ConvNormActivation(
                scope / 0, 3, 32, kernel: 3, stride: 2, padding: style.padding, norm: style.norm,
                activation: activation)
        ]
        let blockCount = table.reduce(0) { $0 + $1.4 }
        var inputs = 32
        var block = 0
        for (stage, (expansion, kernel, stride, outputs, repeats)) in table.enumerated() {
            for index in 0..<repeats {
                let row = Block.Row(
                    kernel: kernel, expanded: inputs * expansion, outputs: outputs,
                    stride: index == 0 ? stride : 1,
                    activation: activation,
                    excitation: variant == .b0
                        ? Excitation(squeezed: max(1, inputs / 4), activation: .silu, gate: .sigmoid) : nil
                )
                let dropRate = 0.2 * Double(block) / Double(blockCount)
                layers.append(Block(scope / (stage + 1) / index, inputs, row, style, dropRate: dropRate))
                inputs = outputs
                block += 1
            }
        }
        layers.append(
            ConvNormActivation(scope / 8, inputs, 1280, kernel: 1, norm: style.norm, activation: activation))
        return layers
    }

    private typealias Block = InvertedResidual<ConvNormActivation>
}
