import Torch

/// How exactly a compiled model computes its frames' features.
public enum Precision: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
    /// As in training, but for rounding.
    case float32
    /// Half the memory and, on processors with instructions for it, half the time; three significant digits.
    case bfloat16
    /// As bfloat16, with four significant digits, on a GPU.
    case float16
    /// A quarter of the memory and, on processors with instructions for it (VNNI), half the time; 256 steps. On the CPU.
    case int8

    package static func all(on device: Device) -> [Precision] {
        switch device {
        case .cpu: [.float32, .bfloat16, .int8]
        case .cuda: [.float32, .bfloat16, .float16]
        }
    }

    /// What the encoder's values are kept in.
    package var dtype: DType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .float16: .float16
        case .int8: .uint8
        }
    }

    /// Whether the device has instructions for it. What it only emulates takes longer than float32, many times in the eager form.
    package func isNative(on device: Device) -> Bool { self == .float32 || Compiler.computes(in: dtype, on: device) }

    /// What to say where it is not.
    package var missing: UsageError {
        UsageError(
            "this processor has no instructions for \(rawValue), and would take longer than in float32; use float32",
            remedy: .precision)
    }
}
