import Torch

/// ShuffleNetV2 ×1.0 (Ma et al. 2018) without its classifier; 1024 features.
struct ShuffleNetV2: FrameEncoder {
    let featureCount = 1024
    let conv1: ConvNormActivation
    let pool = MaxPool2d(kernel: 3, stride: 2, padding: 1)
    let blocks: [ShuffleBlock]
    let conv5: ConvNormActivation

    init(_ scope: Scope) {
        conv1 = ConvNormActivation(scope / "conv1", 3, 24, kernel: 3, stride: 2, activation: .relu)
        var inputs = 24
        var blocks: [ShuffleBlock] = []
        for (stage, (outputs, repeats)) in [(116, 4), (232, 8), (464, 4)].enumerated() {
            for index in 0..<repeats {
                blocks.append(ShuffleBlock(scope / "stage\(stage + 2)" / index, inputs, outputs, stride: index == 0 ? 2 : 1))
                inputs = outputs
            }
        }
        self.blocks = blocks
        conv5 = ConvNormActivation(scope / "conv5", inputs, 1024, kernel: 1, activation: .relu)
    }

    func maps(_ frames: Tensor) -> Tensor { conv5(blocks.reduce(pool(conv1(frames))) { $1($0) }) }
}

/// Half of the channels pass by, or both halves are strided; then the halves are mixed.
struct ShuffleBlock: Layer {
    let branch1: Sequential?
    let branch2: Sequential

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
        branch1 = stride == 1 ? nil : Sequential([depthwise(one, 0, inputs), pointwise(one, 2, inputs)])
        branch2 = Sequential([pointwise(two, 0, stride == 1 ? half : inputs), depthwise(two, 3, half), pointwise(two, 5, half)])
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let channels = x.shape[1]
        let halves =
            if let branch1 {
                [branch1(x), branch2(x)]
            } else {
                [x.narrowed(1, to: 0..<channels / 2), branch2(x.narrowed(1, to: channels / 2..<channels))]
            }
        return Tensor.concatenated(halves, over: 1).channelShuffled(groups: 2)
    }
}
