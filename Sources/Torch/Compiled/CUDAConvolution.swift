import CTorch

/// A convolution on a GPU, by cuDNN.
struct CUDAConvolution: ConvolutionKernel {
    let dtype: DType
    let weight: Frozen<Tensor>
    let bias: Frozen<Tensor>?
    let stride: Int64
    let groups: Int64
    let activation: Activation?

    init(_ layer: ConvNormActivation, _ dtype: DType) {
        let folded = FoldedConvolution(layer)
        weight = Frozen(
            folded.geometry.groups == 1
                ? Self.laidOut(folded.weight, dtype)
                : folded.weight.to(dtype: dtype).contiguous(channelsLast: true))
        bias = folded.bias.map { Frozen($0.to(dtype: dtype)) }
        activation = layer.activation
        self.dtype = dtype
        stride = Int64(folded.geometry.stride)
        groups = Int64(folded.geometry.groups)
    }

    /// Converts to channels-last memory, and pads three channels to four with zeros. Otherwise
    /// cuDNN would do so at every pass.
    static func laidOut(_ x: Tensor, _ dtype: DType) -> Tensor {
        var x = x.to(dtype: dtype)
        if x.shape[1] == 3 {
            x = .concatenated(
                [x, .zeros([x.shape[0], 1] + x.shape[2...], dtype: dtype, device: x.device)], over: 1)
        }
        return x.contiguous(channelsLast: true)
    }

    func accepted(_ x: Tensor) -> Tensor { Self.laidOut(x, dtype) }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        let y = tensor {
            ct_cuda_convolution(
                x.handle, weight.handle, bias?.handle, shortcut?.handle, stride, Int64(padding), groups,
                activation == .relu, $0)
        }
        return activation == .relu ? y : activation?(y) ?? y
    }
}
