import CTorch
import JerseySupport

/// 256 equal steps, of which one is zero exactly: what the bytes of a quantised tensor stand for.
struct Quantization: Equatable, Sendable {
    let steps: ct_steps

    init(_ range: ClosedRange<Float>) {
        let (low, high) = (min(0, Double(range.lowerBound)), max(0, Double(range.upperBound)))
        let step = max(high - low, 1e-9) / 255
        steps = ct_steps(step: step, zero: Int64(clamping: (-low / step).rounded()))
    }

    static func == (a: Quantization, b: Quantization) -> Bool {
        a.steps.step == b.steps.step && a.steps.zero == b.steps.zero
    }
}

extension Tensor {
    /// (N, C, H, W) in bytes, channels-last; what lies outside the steps is clamped.
    func quantized(_ quantization: Quantization) -> Tensor {
        tensor(quantization) { ct_quantize(handle, quantization.steps, $0) }
    }

    /// The float32 numbers that the bytes of a quantised tensor stand for; itself where it is none.
    package func dequantized() -> Tensor {
        guard let steps = quantization?.steps else { return self }
        return tensor { ct_dequantize(handle, steps, $0) }
    }
}
