import CTorch

/// In float32 or bfloat16, by oneDNN.
struct FusedConvolution: CompiledConvolution {
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
struct WinogradConvolution: CompiledConvolution {
    let fused: FusedConvolution
    let weight: Tensor
    let bias: Tensor?

    /// Nil for layers and processors that it is not for.
    ///
    /// - Parameter lanes: floats of a register.
    init?(_ layer: ConvNormActivation, otherwise fused: FusedConvolution, lanes: Int64 = ct_winograd_lanes()) {
        let convolution = layer.convolution
        let shape = convolution.weight.shape
        guard layer.activation == nil || layer.activation == .relu, convolution.groups == 1,
            convolution.stride == 1, convolution.padding == .symmetric(1), shape[2...] == [3, 3],
            shape[0].isMultiple(of: 16), shape[1].isMultiple(of: 16), lanes > 0
        else { return nil }
        let folded = FoldedConvolution(layer)
        self.fused = fused
        weight = tensor { ct_pack_winograd(folded.weight.handle, lanes, $0) }
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
