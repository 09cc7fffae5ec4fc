import CTorch

/// Compiles trainable convolutions for inference. It folds in the norms after them, packs their
/// weights in the layout that oneDNN or cuDNN prefers, and fuses the operations after them into the
/// same pass over memory.
package enum Compiler: Sendable {
    /// Computes in float32 or bfloat16; on a GPU also in float16.
    case float(DType)
    /// Computes in 8-bit integers, on the CPU. Weights have one scale per output channel,
    /// activations one per tensor (Jacob et al. 2018).
    ///
    /// - `input`: the range of the network's input.
    /// - `outputs`: the range that a `RangeObserver` recorded for each convolution; values outside
    ///   are clamped.
    case int8(input: ClosedRange<Float>, outputs: [String: ClosedRange<Float>])

    /// Whether libtorch supports this on the device, faster than float32.
    package func isSupported(on device: Device) -> Bool {
        switch self {
        case .float(let dtype): Self.computes(in: dtype, on: device)
        case .int8: Self.computes(in: .uint8, on: device)
        }
    }

    /// Whether the device has instructions for this type (bytes included), and libtorch uses them.
    /// Emulated types are slower than float32.
    package static func computes(in dtype: DType, on device: Device) -> Bool {
        switch device {
        case .cuda: [.float32, .float16, .bfloat16].contains(dtype)
        case .cpu: checked { ct_fuses(dtype.rawValue, $0) }
        }
    }

    /// Frames (N, 3, H, W) in the layout of the first layer, which then need not convert them.
    package func laidOut(_ frames: Tensor) -> Tensor {
        if case .float(let dtype) = self, frames.device == .cuda {
            return CUDAConvolution.laidOut(frames, dtype)
        }
        return frames
    }

    /// The compiled form of the layer.
    ///
    /// - Parameter x: see `CompilableLayer`.
    package func callAsFunction(_ layer: ConvNormActivation, _ x: inout TensorSpec) -> CompiledConvolution {
        let compiled = withoutGradients { CompiledConvolution(layer, kernel(of: layer, for: x)) }
        x.shape = layer.convolution.geometry.outputShape(of: x.shape)
        if case .int8(_, let outputs) = self { x.quantization = Self.quantization(of: layer, in: outputs) }
        return compiled
    }

    private func kernel(of layer: ConvNormActivation, for x: TensorSpec) -> any ConvolutionKernel {
        switch self {
        case .float(let dtype):
            if layer.convolution.weight.device == .cuda { return CUDAConvolution(layer, dtype) }
            return WinogradConvolution(layer, dtype, for: x)
                ?? FusedConvolution(FoldedConvolution(layer), dtype, for: x)
        case .int8(let input, let outputs):
            let (from, to) = (
                x.quantization ?? Quantization(input), Self.quantization(of: layer, in: outputs)
            )
            return Int8Convolution(layer, for: x, input: from, output: to)
                ?? QuantizedConvolution(layer, for: x, input: from, output: to)
        }
    }

    private static func quantization(
        of layer: ConvNormActivation, in outputs: [String: ClosedRange<Float>]
    ) -> Quantization {
        guard let output = outputs[layer.convolution.path] else {
            preconditionFailure("no output range was recorded for \(layer.convolution.path)")
        }
        return Quantization(output)
    }
}
