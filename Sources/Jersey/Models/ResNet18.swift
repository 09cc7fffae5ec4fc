import Torch

/// ResNet-18 (He et al. 2016) without its classifier; 512 features.
struct ResNet18: FrameEncoder {
    let featureCount = 512
    let isQuantizable = true
    let stem: ConvNormActivation
    let pool = MaxPool2d(kernel: 3, stride: 2, padding: 1)
    let blocks: [BasicBlock]

    init(_ scope: Scope) {
        stem = ConvNormActivation(
            Conv2d(scope / "conv1", 3, 64, kernel: 7, stride: 2, initial: .kaimingFanOut()), BatchNorm2d(scope / "bn1", 64), .relu
        )
        var inputs = 64
        var blocks: [BasicBlock] = []
        for (stage, outputs) in [64, 128, 256, 512].enumerated() {
            for index in 0..<2 {
                let stride = stage > 0 && index == 0 ? 2 : 1
                blocks.append(BasicBlock(scope / "layer\(stage + 1)" / index, inputs, outputs, stride: stride))
                inputs = outputs
            }
        }
        self.blocks = blocks
    }

    func maps(_ frames: Tensor) -> Tensor {
        blocks.reduce(pool(stem(frames))) { $1($0) }
    }
}

/// Two 3×3 convolutions and a shortcut.
struct BasicBlock: Layer {
    let first: ConvNormActivation
    let second: ConvNormActivation
    let downsample: ConvNormActivation?

    init(_ scope: Scope, _ inputs: Int, _ outputs: Int, stride: Int) {
        first = ConvNormActivation(
            Conv2d(scope / "conv1", inputs, outputs, kernel: 3, stride: stride, initial: .kaimingFanOut()),
            BatchNorm2d(scope / "bn1", outputs), .relu)
        second = ConvNormActivation(
            Conv2d(scope / "conv2", outputs, outputs, kernel: 3, initial: .kaimingFanOut()),
            BatchNorm2d(scope / "bn2", outputs), .relu)
        downsample =
            stride == 1 && inputs == outputs
            ? nil : ConvNormActivation(scope / "downsample", inputs, outputs, kernel: 1, stride: stride, activation: nil)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let y = first(x)
        return second(y, adding: downsample?(x) ?? x)
    }
}
