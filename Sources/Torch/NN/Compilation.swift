import CTorch

/// What convolutions compute in once there is no more training: with the norms behind them folded in, their weights packed as oneDNN
/// or cuDNN likes them best, and with what follows done in the same pass over memory.
public enum Compilation {
    /// float32 or bfloat16; on a GPU float16, too.
    case float(DType)
    /// Integers of 8 bits: weights with a step for each output channel, activations with one for all (Jacob et al. 2018); on the CPU.
    ///
    /// - `input`: of the values that the network is given.
    /// - `outputs`: what a `RangeObserver` has seen; values outside are clamped.
    case int8(input: ClosedRange<Float>, outputs: [String: ClosedRange<Float>])

    /// Whether libtorch can do so on this device, and faster than in float32.
    func isSupported(on device: Device) -> Bool {
        switch (self, device) {
        case (.float(let dtype), .cuda): [.float32, .float16, .bfloat16].contains(dtype)
        case (.int8, .cuda): false
        case (.float(let dtype), .cpu): checked { ct_fuses(dtype.rawValue, $0) }
        case (.int8, .cpu): checked { ct_fuses(DType.uint8.rawValue, $0) }
        }
    }

    /// Frames (N, 3, H, W) as the first layer takes them, so that it need not lay them out itself.
    public func laidOut(_ frames: Tensor) -> Tensor {
        if case .float(let dtype) = self, frames.device == .cuda { return CUDAConvolution.laidOut(frames, dtype) }
        return frames
    }

    func form(of layer: ConvNormActivation, for x: Tensor) -> any CompiledConvolution {
        switch self {
        case .float(let dtype):
            if x.device == .cuda { return CUDAConvolution(layer, dtype) }
            let fused = FusedConvolution(layer, dtype, for: x)
            return WinogradConvolution(layer, otherwise: fused) ?? fused
        case .int8(let input, let outputs):
            guard let output = outputs[layer.convolution.path] else {
                preconditionFailure("nothing is known of the range of \(layer.convolution.path)")
            }
            return QuantizedConvolution(layer, for: x, input: Quantization(input), output: Quantization(output))
        }
    }
}

/// Sees what the layers of a model put out, for as long as it is the `ranges` of its `ParameterStore`.
public final class RangeObserver {
    /// Of each convolution with what follows it, by its path.
    public private(set) var ranges: [String: ClosedRange<Float>] = [:]

    public init() {}

    func see(_ output: Tensor, of path: String) {
        precondition(output.quantization == nil, "ranges are seen before they are rounded")
        let seen = output.range
        let (low, high) = (Float(seen.lowerBound), Float(seen.upperBound))
        let former = ranges[path] ?? low...high
        ranges[path] = min(former.lowerBound, low)...max(former.upperBound, high)
    }
}

/// A layer, ready to read.
protocol CompiledConvolution {
    /// The input as it has to be.
    func accepted(_ x: Tensor) -> Tensor
    /// - Parameters:
    ///   - padding: of this input; where it has to be "same", it depends on the size.
    ///   - shortcut: overwritten.
    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor
}

/// Weights of a convolution with the batch norm behind it, in float64.
private struct FoldedConvolution {
    /// O, I / groups, K, K.
    let weight: Tensor
    let bias: Tensor?

    /// With γ, β, μ, σ² of the norm the weight is W γ / √(σ² + ε), the bias β + (b − μ) γ / √(σ² + ε).
    init(_ layer: ConvNormActivation) {
        var weight = layer.convolution.weight.to(dtype: .float64)
        var bias = layer.convolution.bias?.to(dtype: .float64)
        if let norm = layer.norm {
            let deviation = (norm.runningVariance.to(dtype: .float64) + norm.epsilon).squareRoot()
            let factor = norm.weight.to(dtype: .float64) / deviation
            let mean = norm.runningMean.to(dtype: .float64)
            weight = weight * factor.reshaped(factor.count, 1, 1, 1)
            bias = norm.bias.to(dtype: .float64) + (bias.map { $0 - mean } ?? mean * -1) * factor
        }
        (self.weight, self.bias) = (weight, bias)
    }
}

/// In float32 or bfloat16, by oneDNN.
private struct FusedConvolution: CompiledConvolution {
    let dtype: DType
    let weight: Tensor
    let bias: Tensor?
    let stride: Int64
    let groups: Int64
    let activation: Activation?

    /// - Parameter x: of the size for which the layout is chosen; others are right as well.
    init(_ layer: ConvNormActivation, _ dtype: DType, for x: Tensor) {
        let folded = FoldedConvolution(layer)
        let rounded = folded.weight.to(dtype: dtype)
        let (input, padding) = layer.convolution.bordered(x)
        let (stride, groups) = (Int64(layer.convolution.stride), Int64(layer.convolution.groups))
        weight = tensor {
            ct_pack_convolution(rounded.handle, stride, Int64(padding), groups, input.shape.map(Int64.init), $0)
        }
        bias = folded.bias?.to(dtype: dtype)
        activation = layer.activation
        (self.dtype, self.stride, self.groups) = (dtype, stride, groups)
    }

    func accepted(_ x: Tensor) -> Tensor { x.to(dtype: dtype).contiguous(channelsLast: true) }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        // oneDNN knows fewer activations behind a sum.
        let isFusable = shortcut == nil || activation == nil || activation == .relu
        let word =
            switch isFusable ? activation : nil {
            case nil: "none"
            case .relu: "relu"
            case .relu6: "relu6"
            case .silu: "swish"
            case .hardswish: "hardswish"
            case .hardsigmoid: "hardsigmoid"
            case .sigmoid: "sigmoid"
            }
        let y = tensor {
            ct_fused_convolution(
                x.handle, weight.handle, bias?.handle, shortcut?.handle, stride, Int64(padding), groups, word, $0)
        }
        return isFusable ? y : activation?(y) ?? y
    }
}

/// By Winograd's minimal filtering where that is faster (`winograd.cpp`). In bfloat16 are the activations only.
private struct WinogradConvolution: CompiledConvolution {
    let fused: FusedConvolution
    let weight: Tensor
    let bias: Tensor?

    /// Nil for layers that it is not for.
    init?(_ layer: ConvNormActivation, otherwise fused: FusedConvolution) {
        let convolution = layer.convolution
        let shape = convolution.weight.shape
        guard layer.activation == nil || layer.activation == .relu, convolution.groups == 1,
            convolution.stride == 1, convolution.padding == .symmetric(1), shape[2...] == [3, 3],
            shape[0].isMultiple(of: 16), shape[1].isMultiple(of: 16), ct_has_winograd()
        else { return nil }
        let folded = FoldedConvolution(layer)
        self.fused = fused
        weight = tensor { ct_pack_winograd(folded.weight.handle, $0) }
        bias = folded.bias?.to(dtype: .float32)
    }

    func accepted(_ x: Tensor) -> Tensor { fused.accepted(x) }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        guard ct_winograd_pays(x.handle, weight.handle) else { return fused(x, padding: padding, adding: shortcut) }
        return tensor {
            ct_winograd_convolution(x.handle, weight.handle, bias?.handle, shortcut?.handle, fused.activation == .relu, $0)
        }
    }
}

/// On a GPU, by cuDNN.
private struct CUDAConvolution: CompiledConvolution {
    let dtype: DType
    let weight: Tensor
    let bias: Tensor?
    let stride: Int64
    let groups: Int64
    let activation: Activation?

    init(_ layer: ConvNormActivation, _ dtype: DType) {
        let folded = FoldedConvolution(layer)
        weight = Self.laidOut(folded.weight, dtype)
        bias = folded.bias?.to(dtype: dtype)
        activation = layer.activation
        (self.dtype, stride, groups) = (dtype, Int64(layer.convolution.stride), Int64(layer.convolution.groups))
    }

    /// Channels last; and a fourth of zeros beside three, which cuDNN would add at every pass.
    static func laidOut(_ x: Tensor, _ dtype: DType) -> Tensor {
        var x = x.to(dtype: dtype)
        if x.shape[1] == 3 {
            x = .concatenated([x, .zeros([x.shape[0], 1] + x.shape[2...], dtype: dtype, device: x.device)], over: 1)
        }
        return x.contiguous(channelsLast: true)
    }

    func accepted(_ x: Tensor) -> Tensor { Self.laidOut(x, dtype) }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        let y = tensor {
            ct_cuda_convolution(
                x.handle, weight.handle, bias?.handle, shortcut?.handle, stride, Int64(padding), groups, activation == .relu, $0)
        }
        return activation == .relu ? y : activation?(y) ?? y
    }
}

/// In integers of 8 bits, from quantised tensors to quantised ones.
private struct QuantizedConvolution: CompiledConvolution {
    let weight: Tensor
    let steps: Tensor
    let bias: Tensor?
    let stride: Int64
    let groups: Int64
    let hasActivation: Bool
    let input: Quantization
    let output: Quantization

    /// - Parameter x: of the size for which the layout is chosen, and of the quantisation that all input will have.
    init(_ layer: ConvNormActivation, for x: Tensor, input: Quantization, output: Quantization) {
        precondition(layer.activation == nil || layer.activation == .relu, "only ReLU follows a quantised convolution")
        let folded = FoldedConvolution(layer)
        let rounded = folded.weight.to(dtype: .float32)
        let input = x.quantization ?? input
        let (stride, groups) = (Int64(layer.convolution.stride), Int64(layer.convolution.groups))
        let padding = Int64(layer.convolution.bordered(x).padding)
        var steps: ct_tensor?
        weight = tensor {
            ct_pack_quantized_convolution(
                rounded.handle, stride, padding, groups, x.shape.map(Int64.init), input.steps, &steps, $0)
        }
        self.steps = Tensor(owning: steps!)
        bias = folded.bias?.to(dtype: .float32)
        hasActivation = layer.activation != nil
        (self.stride, self.groups, self.input, self.output) = (stride, groups, input, output)
    }

    func accepted(_ x: Tensor) -> Tensor { x.quantization == nil ? x.quantized(input) : x }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        precondition(x.quantization == input, "a convolution is packed for input of one quantisation")
        return tensor(output) {
            ct_quantized_convolution(
                x.handle, input.steps, weight.handle, steps.handle, bias?.handle, shortcut?.handle,
                (shortcut?.quantization ?? input).steps, stride, Int64(padding), groups, hasActivation, output.steps, $0)
        }
    }
}
