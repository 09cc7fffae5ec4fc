import CTorch
import JerseySupport

/// Scale and zero point of a quantised tensor, which map its bytes to numbers. Zero is exactly one
/// of the 256 values.
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
    /// (N, C, H, W) as bytes, channels-last. Values outside the range are clamped.
    func quantized(_ quantization: Quantization) -> Tensor {
        tensor(quantization) { ct_quantize(handle, quantization.qparams, $0) }
    }

    /// The float32 numbers of a quantised tensor; any other tensor is returned unchanged.
    package func dequantized() -> Tensor {
        guard let qparams = quantization?.qparams else { return self }
        return tensor { ct_dequantize(handle, qparams, $0) }
    }
}
