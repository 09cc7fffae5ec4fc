import Torch

/// How exactly a compiled model computes its frames' features.
public enum Precision: String, Codable, Sendable, CaseIterable {
    /// As in training, but for rounding.
    case float32
    /// Half the memory and, on processors with instructions for it, half the time; three significant digits.
    case bfloat16
    /// As bfloat16, with four significant digits, on a GPU.
    case float16
    /// A quarter of the memory and, on processors with instructions for it, less than a third of the time; 256 steps. On the CPU.
    case int8

    public static func all(on device: Device) -> [Precision] {
        switch device {
        case .cpu: [.float32, .bfloat16, .int8]
        case .cuda: [.float32, .bfloat16, .float16]
        }
    }
}
