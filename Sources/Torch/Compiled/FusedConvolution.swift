import CTorch

/// A convolution in float32 or bfloat16, by oneDNN.
struct FusedConvolution: ConvolutionKernel {
    let dtype: DType
    let weight: Frozen<Tensor>
    let bias: Frozen<Tensor>?
    let stride: Int64
    let groups: Int64
    let activation: Activation?

    /// - Parameter x: the input that the layout is chosen for; other sizes also work.
    init(_ folded: FoldedConvolution, _ dtype: DType, for x: TensorSpec) {
        let geometry = folded.geometry
        let rounded = folded.weight.to(dtype: dtype)
        let (shape, padding) = geometry.bordered(x.shape)
        let (stride, groups) = (Int64(geometry.stride), Int64(geometry.groups))
        weight = Frozen(
            tensor {
                ct_pack_convolution(rounded.handle, stride, Int64(padding), groups, shape.map(Int64.init), $0)
            })
        bias = folded.bias.map { Frozen($0.to(dtype: dtype)) }
        self.dtype = dtype
        activation = folded.activation
        self.stride = stride
        self.groups = groups
    }

    static func accepted(_ x: Tensor, _ dtype: DType) -> Tensor {
        x.to(dtype: dtype).contiguous(channelsLast: true)
    }

    func accepted(_ x: Tensor) -> Tensor { Self.accepted(x, dtype) }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        // oneDNN supports fewer activations after a sum.
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
                x.handle, weight.handle, bias?.handle, shortcut?.handle, stride, Int64(padding), groups, word,
                $0)
        }
        return isFusable ? y : activation?(y) ?? y
    }
}
