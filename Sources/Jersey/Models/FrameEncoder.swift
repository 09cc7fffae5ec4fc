import Torch

/// (N, 3, H, W) normalised frames to their last feature maps (N, C, h, w).
struct FrameEncoder: Layer {
    let layers: [any CompilableLayer]
    /// C.
    let channels: Int
    /// Whether all convolutions are followed by ReLU or nothing, so that 8 bits can hold their
    /// outputs.
    let isQuantizable: Bool

    init(_ layers: [any CompilableLayer], channels: Int, isQuantizable: Bool = false) {
        self.layers = layers
        self.channels = channels
        self.isQuantizable = isQuantizable
    }

    func callAsFunction(_ frames: Tensor, _ pass: Pass) -> Tensor { layers.reduce(frames) { $1($0, pass) } }

    /// - Parameter x: the usual shape of the frames; on return, that of the maps.
    func compiled(by compiler: Compiler, for x: inout TensorSpec) -> CompiledEncoder {
        CompiledEncoder(layers: layers.map { $0.compiled(by: compiler, for: &x) })
    }
}

/// An encoder for inference.
struct CompiledEncoder: Layer, Sendable {
    let layers: [any Layer & Sendable]

    func callAsFunction(_ frames: Tensor, _ pass: Pass) -> Tensor { layers.reduce(frames) { $1($0, pass) } }
}

/// (N, C, h, w) maps to features (N, count): the means over the picture, and perhaps the first
/// layer of a classifier.
struct FrameFeatures {
    let count: Int
    private let linear: Linear?

    init(channels: Int) {
        count = channels
        linear = nil
    }

    /// Keeps the first layer of MobileNetV3's classifier, as the study does.
    init(_ scope: Scope, channels: Int, count: Int) {
        self.count = count
        linear = Linear(scope / "classifier" / 2, channels, count, initial: .normal(deviation: 0.01))
    }

    func callAsFunction(_ maps: Tensor, _ pass: Pass) -> Tensor {
        let means = GlobalAveragePool()(maps)
        return linear.map { Activation.hardswish($0(means, pass)) } ?? means
    }
}

extension ConvNormActivation {
    /// Convolution and batch norm with torchvision's names "0" and "1".
    init(
        _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
        padding: Padding? = nil,
        norm: NormStyle = .standard, activation: Activation?
    ) {
        self.init(
            Conv2d(
                scope / 0, inputs, outputs, kernel: kernel, stride: stride, padding: padding, groups: groups,
                initial: .kaimingFanOut(groups: groups)),
            BatchNorm2d(scope / 1, outputs, epsilon: norm.epsilon, momentum: norm.momentum), activation)
    }
}

/// Constants of batch norm, as defined by PyTorch.
struct NormStyle {
    var epsilon = 1e-5
    var momentum = 0.1

    static let standard = NormStyle()
    static let mobile = NormStyle(epsilon: 1e-3, momentum: 0.01)
}
