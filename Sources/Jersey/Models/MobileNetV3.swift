import Torch

/// MobileNetV3 (Howard et al. 2019) with the first layer of its classifier, as in the study; 1280
/// or 1024 features.
enum MobileNetV3 {
    enum Variant { case large, small }

    /// kernel, expanded, outputs, squeeze-and-excitation, hard-swish, stride: tables 1 and 2 of the
    /// paper.
    static let large = [
        (3, 16, 16, false, false, 1), (3, 64, 24, false, false, 2), (3, 72, 24, false, false, 1),
        (5, 72, 40, true, false, 2),
        (5, 120, 40, true, false, 1), (5, 120, 40, true, false, 1), (3, 240, 80, false, true, 2),
        (3, 200, 80, false, true, 1),
        (3, 184, 80, false, true, 1), (3, 184, 80, false, true, 1), (3, 480, 112, true, true, 1),
        (3, 672, 112, true, true, 1),
        (5, 672, 160, true, true, 2), (5, 960, 160, true, true, 1), (5, 960, 160, true, true, 1),
    ]
    static let small = [
        (3, 16, 16, true, false, 2), (3, 72, 24, false, false, 2), (3, 88, 24, false, false, 1),
        (5, 96, 40, true, true, 2),
        (5, 240, 40, true, true, 1), (5, 240, 40, true, true, 1), (5, 120, 48, true, true, 1),
        (5, 144, 48, true, true, 1),
        (5, 288, 96, true, true, 2), (5, 576, 96, true, true, 1), (5, 576, 96, true, true, 1),
    ]

    static func layers(_ scope: Scope, _ variant: Variant) -> [any CompilableLayer] {
        let style = Block.Style(norm: .mobile)
        let place = scope / "features"
        var layers: [any CompilableLayer] = [
            ConvNormActivation(
                place / 0, 3, 16, kernel: 3, stride: 2, norm: style.norm, activation: .hardswish)
        ]
        var inputs = 16
        for (kernel, expanded, outputs, excites, swish, stride) in variant == .large ? large : small {
            let row = Block.Row(
                kernel: kernel, expanded: expanded, outputs: outputs, stride: stride,
                activation: swish ? .hardswish : .relu,
                excitation: excites
                    ? Excitation(
                        squeezed: roundedToEights(expanded / 4), activation: .relu, gate: .hardsigmoid) : nil)
            layers.append(Block(place / layers.count, inputs, row, style))
            inputs = outputs
        }
        layers.append(
            ConvNormActivation(
                place / layers.count, inputs, inputs * 6, kernel: 1, norm: style.norm, activation: .hardswish)
        )
        return layers
    }

    private typealias Block = InvertedResidual<ConvNormActivation>
}

/// The nearest multiple of eight, at least eight and not below 90% of `channels` (the MobileNet
/// papers' rule).
private func roundedToEights(_ channels: Int) -> Int {
    let rounded = max(8, (channels + 4) / 8 * 8)
    return Double(rounded) < 0.9 * Double(channels) ? rounded + 8 : rounded
}
