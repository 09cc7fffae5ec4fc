import Torch

/// How exactly a compiled model computes its frames' features.
public enum Precision: String, Codable, Sendable, CaseIterable {
    /// As in training, but for rounding.
    case float32
    /// Half the memory and, on processors with instructions for it, half the time; three significant digits.
    case bfloat16

    var dtype: DType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}
