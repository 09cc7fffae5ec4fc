import Torch

/// ResNet-18 (He et al. 2016) without its classifier; 512 features.
enum ResNet18 {
    static func layers(_ scope: Scope) -> [any CompilableLayer] {
        var layers: [any CompilableLayer] = [
            ConvNormActivation(
                Conv2d(scope / "conv1", 3, 64, kernel: 7, stride: 2, initial: .kaimingFanOut()),
                BatchNorm2d(scope / "bn1", 64), .relu),
            MaxPool2d(kernel: 3, stride: 2, padding: 1),
        ]
        var inputs = 64
        for (stage, outputs) in [64, 128, 256, 512].enumerated() {
            for index in 0..<2 {
                let stride = stage > 0 && index == 0 ? 2 : 1
                layers.append(
                    BasicBlock(scope / "layer\(stage + 1)" / index, inputs, outputs, stride: stride))
                inputs = outputs
            }
        }
        return layers
    }
}

/// Two 3×3 convolutions and a shortcut.
struct BasicBlock<Convolution: ConvolutionLayer>: Layer {
    let first: Convolution
    let second: Convolution
    let downsample: Convolution?

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        let y = first(x, pass)
        return second(y, adding: downsample?(x, pass) ?? x, pass)
    }
}

extension BasicBlock: Sendable where Convolution: Sendable {}

extension BasicBlock<ConvNormActivation>: CompilableLayer {
    init(_ scope: Scope, _ inputs: Int, _ outputs: Int, stride: Int) {
        first = ConvNormActivation(
            Conv2d(scope / "conv1", inputs, outputs, kernel: 3, stride: stride, initial: .kaimingFanOut()),
            BatchNorm2d(scope / "bn1", outputs), .relu)
        second = ConvNormActivation(
            Conv2d(scope / "conv2", outputs, outputs, kernel: 3, initial: .kaimingFanOut()),
            BatchNorm2d(scope / "bn2", outputs), .relu)
        downsample =
            stride == 1 && inputs == outputs
            ? nil
            : ConvNormActivation(
                scope / "downsample", inputs, outputs, kernel: 1, stride: stride, activation: nil)
    }

    func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable {
        var aside = x
        return BasicBlock<CompiledConvolution>(
            first: compiler(first, &x), second: compiler(second, &x),
            downsample: downsample.map { compiler($0, &aside) })
    }
}
