import CTorch

/// Turns convolutions that learn into ones that only read: with the norms behind them folded in, their weights packed
/// as oneDNN or cuDNN likes them best, and with what follows done in the same pass over memory.
package enum Compiler: Sendable {
    /// They compute in float32 or bfloat16; on a GPU float16, too.
    case float(DType)
    /// They compute in integers of 8 bits, on the CPU: weights with a step for each output channel, activations with
    /// one for all (Jacob et al. 2018).
    ///
    /// - `input`: the range of the values that the network is given.
    /// - `outputs`: what a `RangeObserver` has seen of each convolution; values outside are clamped.
    case int8(input: ClosedRange<Float>, outputs: [String: ClosedRange<Float>])

    /// Whether libtorch can do so on this device, and faster than in float32.
    package func isSupported(on device: Device) -> Bool {
        switch self {
        case .float(let dtype): Self.computes(in: dtype, on: device)
        case .int8: Self.computes(in: .uint8, on: device)
        }
    }

    /// Whether the device has instructions for this kind of number, bytes included, and libtorch uses them: what is only emulated
    /// takes longer than float32.
    package static func computes(in dtype: DType, on device: Device) -> Bool {
        switch device {
        case .cuda: [.float32, .float16, .bfloat16].contains(dtype)
        case .cpu: checked { ct_fuses(dtype.rawValue, $0) }
        }
    }

    /// Frames (N, 3, H, W) as the first layer takes them, so that it need not lay them out itself.
    package func laidOut(_ frames: Tensor) -> Tensor {
        if case .float(let dtype) = self, frames.device == .cuda { return CUDAConvolution.laidOut(frames, dtype) }
        return frames
    }

    /// The layer as it reads from now on.
    ///
    /// - Parameter x: as `CompilableLayer` has it.
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
            let (from, to) = (x.quantization ?? Quantization(input), Self.quantization(of: layer, in: outputs))
            return Int8Convolution(layer, for: x, input: from, output: to)
                ?? QuantizedConvolution(layer, for: x, input: from, output: to)
        }
    }

    private static func quantization(
        of layer: ConvNormActivation, in outputs: [String: ClosedRange<Float>]
    ) -> Quantization {
        guard let output = outputs[layer.convolution.path] else {
            preconditionFailure("nothing is known of the range of \(layer.convolution.path)")
        }
        return Quantization(output)
    }
}
