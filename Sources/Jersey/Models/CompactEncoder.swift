import Torch

/// A small residual network for crops of about 50 pixels, with 96 features. A 48×48 crop takes 22
/// million multiplications.
///
/// It halves its maps only three times, so that two adjacent digits stay several places apart.
enum CompactEncoder {
    /// outputs, stride
    static let table = [(48, 2), (48, 1), (96, 2), (96, 1)]

    /// - Parameters:
    ///   - stem: channels of the first layer.
    ///   - table: outputs and stride of each block.
    static func layers(_ scope: Scope, stem: Int = 32, table: [(Int, Int)] = table) -> [any CompilableLayer] {
        var layers: [any CompilableLayer] = [
            ConvNormActivation(scope / "stem", 3, stem, kernel: 3, stride: 2, activation: .relu)
        ]
        var inputs = stem
        for (index, (outputs, stride)) in table.enumerated() {
            layers.append(BasicBlock(scope / "blocks" / index, inputs, outputs, stride: stride))
            inputs = outputs
        }
        return layers
    }
}
