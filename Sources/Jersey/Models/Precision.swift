import Torch

/// The number format in which a compiled model's encoder computes.
public enum Precision: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
    /// 32-bit floating point: as in training, apart from rounding.
    case float32
    /// 16-bit floating point with 8 bits of significand: half the memory and, on processors with
    /// instructions for it, half the time.
    case bfloat16
    /// 16-bit floating point with 11 bits of significand, on a GPU only.
    case float16
    /// 8-bit integers: a quarter of the memory and half the time, on CPUs with instructions for it
    /// (VNNI) only. It needs a calibrated model.
    case int8

    package static func all(on device: Device) -> [Precision] {
        switch device {
        case .cpu: [.float32, .bfloat16, .int8]
        case .cuda: [.float32, .bfloat16, .float16]
        }
    }

    /// The data type of the encoder's values.
    package var dtype: DType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .float16: .float16
        case .int8: .uint8
        }
    }

    /// Whether the device has instructions for it. An emulated precision is slower than float32,
    /// many times so in eager mode.
    package func isNative(on device: Device) -> Bool {
        self == .float32 || Compiler.computes(in: dtype, on: device)
    }

    /// The error if it is not.
    package var missing: UsageError {
        UsageError(
            "this processor has no instructions for \(rawValue), which would be slower than float32; use float32",
            remedy: .precision)
    }
}
