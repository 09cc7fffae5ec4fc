import CTorch
import JerseySupport

/// Scale and zero point of a quantised tensor: what its bytes stand for. Zero itself is one of the 256 values.
struct Quantization: Equatable, Sendable {
    let qparams: ct_qparams

    init(_ range: ClosedRange<Float>) {
        let (low, high) = (min(0, Double(range.lowerBound)), max(0, Double(range.upperBound)))
        let scale = max(high - low, 1e-9) / 255
        qparams = ct_qparams(scale: scale, zero_point: Int64(clamping: (-low / scale).rounded()))
    }

    static func == (a: Quantization, b: Quantization) -> Bool {
        a.qparams.scale == b.qparams.scale && a.qparams.zero_point == b.qparams.zero_point
    }
}

extension Tensor {
    /// (N, C, H, W) in bytes, channels-last; what lies outside the range is clamped.
    func quantized(_ quantization: Quantization) -> Tensor {
        tensor(quantization) { ct_quantize(handle, quantization.qparams, $0) }
    }

    /// The float32 numbers that the bytes of a quantised tensor stand for; itself where it is none.
    package func dequantized() -> Tensor {
        guard let qparams = quantization?.qparams else { return self }
        return tensor { ct_dequantize(handle, qparams, $0) }
    }
}
