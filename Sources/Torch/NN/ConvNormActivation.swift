import CTorch

/// Convolution, perhaps batch norm, perhaps the sum with a shortcut, perhaps an activation: what networks are built of.
///
/// It has two forms. The eager one does one after the other, and learns. The compiled one, which `ParameterStore.compile` asks for,
/// has the norm folded into the convolution's weights, those laid out as oneDNN likes them best, and does all in one pass over memory.
public final class ConvNormActivation: Layer {
    let convolution: Conv2d
    let norm: BatchNorm2d?
    let activation: Activation?
    private var fused: FusedConvolution?

    public init(_ convolution: Conv2d, _ norm: BatchNorm2d? = nil, _ activation: Activation? = nil) {
        self.convolution = convolution
        self.norm = norm
        self.activation = activation
    }

    public func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, adding: nil) }

    /// - Parameter shortcut: added before the activation; of the shape of the result. It must not be needed afterwards: the compiled
    ///   form writes its result there.
    public func callAsFunction(_ x: Tensor, adding shortcut: Tensor?) -> Tensor {
        if let dtype = convolution.store.fusedType { return compiled(x, adding: shortcut, dtype) }
        var y = convolution(x)
        if let norm { y = norm(y) }
        if let shortcut { y = y + shortcut }
        return activation?(y) ?? y
    }

    private func compiled(_ x: Tensor, adding shortcut: Tensor?, _ dtype: DType) -> Tensor {
        precondition(!convolution.store.isTraining, "a compiled model does not learn")
        let (x, padding) = convolution.bordered(x.to(dtype: dtype).contiguous(channelsLast: true))
        let fused =
            self.fused ?? withoutGradients { FusedConvolution(convolution, norm, dtype, input: x.shape, padding: padding) }
        self.fused = fused
        // oneDNN knows fewer activations behind a sum.
        let isFusable = shortcut == nil || activation == nil || activation == .relu
        let y = fused(x, padding: padding, adding: shortcut, isFusable ? activation : nil)
        convolution.count(y)
        return isFusable ? y : activation?(y) ?? y
    }
}

/// Weights of a convolution with the batch norm behind it, packed.
private struct FusedConvolution {
    let weight: Tensor
    let bias: Tensor?
    let stride: Int64
    let groups: Int64
    /// Of the unpacked weight: O, I / groups, K, K.
    let shape: [Int]

    /// With γ, β, μ, σ² of the norm the weight is W γ / √(σ² + ε), the bias β + (b − μ) γ / √(σ² + ε); in float64 until the end.
    ///
    /// - Parameter input: (N, C, H, W) for which the layout is chosen; others are right as well.
    init(_ convolution: Conv2d, _ norm: BatchNorm2d?, _ dtype: DType, input: [Int], padding: Int) {
        var weight = convolution.weight.to(dtype: .float64)
        var bias = convolution.bias?.to(dtype: .float64)
        if let norm {
            let deviation = (norm.runningVariance.to(dtype: .float64) + norm.epsilon).squareRoot()
            let factor = norm.weight.to(dtype: .float64) / deviation
            let mean = norm.runningMean.to(dtype: .float64)
            weight = weight * factor.reshaped(factor.count, 1, 1, 1)
            bias = norm.bias.to(dtype: .float64) + (bias.map { $0 - mean } ?? mean * -1) * factor
        }
        let rounded = weight.to(dtype: dtype)
        let (stride, padding, groups) = (Int64(convolution.stride), Int64(padding), Int64(convolution.groups))
        self.weight = tensor { ct_pack_convolution(rounded.handle, stride, padding, groups, input.map(Int64.init), $0) }
        self.bias = bias?.to(dtype: dtype)
        (self.stride, self.groups, shape) = (stride, groups, weight.shape)
    }

    /// - Parameter padding: of this input; where it has to be "same", it depends on the size.
    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?, _ activation: Activation?) -> Tensor {
        // oneDNN writes into the shortcut without a look at its size.
        let sides = x.shape[2...].map { ($0 + 2 * padding - shape[2]) / Int(stride) + 1 }
        precondition(
            shortcut.map { $0.shape == [x.shape[0], shape[0]] + sides } ?? true, "the shortcut has another shape than the result")
        let word =
            switch activation {
            case nil: "none"
            case .relu: "relu"
            case .relu6: "relu6"
            case .silu: "swish"
            case .hardswish: "hardswish"
            case .hardsigmoid: "hardsigmoid"
            case .sigmoid: "sigmoid"
            }
        return tensor {
            ct_fused_convolution(
                x.handle, weight.handle, bias?.handle, shortcut?.handle, stride, Int64(padding), groups, word, $0)
        }
    }
}
