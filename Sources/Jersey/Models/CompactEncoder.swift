import Torch

/// A small residual network for crops of about 50 pixels, with 96 features. A 48×48 crop takes 22
/// million multiplications.
///
/// It halves its maps only three times, so that two adjacent digits stay several places apart.
enum CompactEncoder {
    /// outputs, stride
    static let table = [(48, 2), (48, 1), (96, 2), (96, 1)]

    static func layers(_ scope: Scope) -> [any CompilableLayer] {
        var layers: [any CompilableLayer] = [
            ConvNormActivation(scope / "stem", 3, 32, kernel: 3, stride: 2, activation: .relu)
        ]
        var inputs = 32
        for (index, (outputs, stride)) in table.enumerated() {
            layers.append(BasicBlock(scope / "blocks" / index, inputs, outputs, stride: stride))
            inputs = outputs
        }
        return layers
    }
}
