import Torch

/// ShuffleNetV2 ×1.0 (Ma et al. 2018) without its classifier; 1024 features.
enum ShuffleNetV2 {
    static func layers(_ scope: Scope) -> [any CompilableLayer] {
        var layers: [any CompilableLayer] = [
            ConvNormActivation(scope / "conv1", 3, 24, kernel: 3, stride: 2, activation: .relu),
            MaxPool2d(kernel: 3, stride: 2, padding: 1),
        ]
        var inputs = 24
        for (stage, (outputs, repeats)) in [(116, 4), (232, 8), (464, 4)].enumerated() {
            for index in 0..<repeats {
                let place = scope / "stage\(stage + 2)" / index
                layers.append(ShuffleBlock(place, inputs, outputs, stride: index == 0 ? 2 : 1))
                inputs = outputs
            }
        }
        layers.append(ConvNormActivation(scope / "conv5", inputs, 1024, kernel: 1, activation: .relu))
        return layers
    }
}

/// Half of the channels skip the convolutions, or both halves are strided; then the halves are
/// shuffled.
struct ShuffleBlock<Convolution: ConvolutionLayer>: Layer {
    /// Empty if half of the channels skip the convolutions.
    let branch1: [Convolution]
    let branch2: [Convolution]

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        let channels = x.shape[1]
        let halves =
            branch1.isEmpty
            ? [
                x.narrowed(1, to: 0..<channels / 2),
                branch2.run(x.narrowed(1, to: channels / 2..<channels), pass),
            ]
            : [branch1.run(x, pass), branch2.run(x, pass)]
        return Tensor.concatenated(halves, over: 1).channelShuffled(groups: 2)
    }
}

extension ShuffleBlock: Sendable where Convolution: Sendable {}

extension Array where Element: Layer {
    /// Runs the layers one after the other.
    fileprivate func run(_ x: Tensor, _ pass: Pass) -> Tensor { reduce(x) { $1($0, pass) } }
}

extension ShuffleBlock<ConvNormActivation>: CompilableLayer {
    init(_ scope: Scope, _ inputs: Int, _ outputs: Int, stride: Int) {
        let half = outputs / 2
        func pointwise(_ scope: Scope, _ index: Int, _ inputs: Int) -> ConvNormActivation {
            ConvNormActivation(
                Conv2d(scope / index, inputs, half, kernel: 1, initial: .kaimingFanOut()),
                BatchNorm2d(scope / (index + 1), half), .relu)
        }
        func depthwise(_ scope: Scope, _ index: Int, _ channels: Int) -> ConvNormActivation {
            ConvNormActivation(
                Conv2d(
                    scope / index, channels, channels, kernel: 3, stride: stride, groups: channels,
                    initial: .kaimingFanOut(groups: channels)), BatchNorm2d(scope / (index + 1), channels))
        }
        let (one, two) = (scope / "branch1", scope / "branch2")
        branch1 = stride == 1 ? [] : [depthwise(one, 0, inputs), pointwise(one, 2, inputs)]
        branch2 = [
            pointwise(two, 0, stride == 1 ? half : inputs), depthwise(two, 3, half), pointwise(two, 5, half),
        ]
    }

    func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable {
        var aside = x
        if branch1.isEmpty { x.shape[1] /= 2 }
        let branch1 = branch1.map { compiler($0, &aside) }
        let branch2 = branch2.map { compiler($0, &x) }
        x.shape[1] *= 2
        return ShuffleBlock<CompiledConvolution>(branch1: branch1, branch2: branch2)
    }
}
