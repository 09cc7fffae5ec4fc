import CTorch

/// A convolution in 8-bit integers, by our own kernel (`int8.cpp`).
struct Int8Convolution: ConvolutionKernel {
    let weight: Frozen<Tensor>
    let factors: Frozen<Tensor>
    let stride: Int64
    let hasActivation: Bool
    let input: Quantization
    let output: Quantization
    private let lanes: Int64

    /// Nil for layers and processors that the kernel does not support.
    ///
    /// - Parameter lanes: sums in a register.
    init?(
        _ layer: ConvNormActivation, for x: TensorSpec, input: Quantization, output: Quantization,
        lanes: Int64 = ct_int8_lanes()
    ) {
        let convolution = layer.convolution
        guard layer.activation == nil || layer.activation == .relu, convolution.geometry.groups == 1,
            x.quantization == nil || x.shape[1].isMultiple(of: 4), lanes > 0,
            ct_fits_int8(convolution.weight.handle)
        else { return nil }
        let folded = FoldedConvolution(layer)
        var factors: ct_tensor?
        weight = Frozen(
            tensor {
                ct_pack_int8(
                    folded.original.handle, folded.factors?.handle, folded.bias?.handle, input.qparams,
                    output.qparams,
                    lanes, &factors, $0)
            })
        self.factors = Frozen(Tensor(owning: factors!))
        hasActivation = layer.activation != nil
        stride = Int64(convolution.geometry.stride)
        self.input = input
        self.output = output
        self.lanes = lanes
    }

    func accepted(_ x: Tensor) -> Tensor {
        x.quantization == nil ? x.to(dtype: .float32).contiguous(channelsLast: true) : x
    }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        precondition(
            x.quantization ?? input == input, "the weights are packed for a different input quantisation")
        return tensor(output) {
            ct_int8_convolution(
                x.handle, input.qparams, weight.handle, factors.handle, shortcut?.handle,
                (shortcut?.quantization ?? input).qparams,
                stride, Int64(padding), hasActivation, output.qparams, lanes, $0)
        }
    }
}
