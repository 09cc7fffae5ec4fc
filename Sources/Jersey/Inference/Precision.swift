/// How exactly a compiled model computes its frames' features.
public enum Precision: String, Codable, Sendable, CaseIterable {
    /// As in training, but for rounding.
    case float32
    /// Half the memory and, on processors with instructions for it, half the time; three significant digits.
    case bfloat16
    /// A quarter of the memory and, on processors with instructions for it, less than a third of the time; 256 steps.
    case int8
}
