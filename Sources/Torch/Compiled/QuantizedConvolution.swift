import CTorch

/// A convolution in 8-bit integers, from quantised tensors to quantised ones, by oneDNN.
struct QuantizedConvolution: ConvolutionKernel {
    let weight: Frozen<Tensor>
    let scales: Frozen<Tensor>
    let bias: Frozen<Tensor>?
    let stride: Int64
    let groups: Int64
    let hasActivation: Bool
    let input: Quantization
    let output: Quantization

    /// - Parameters:
    ///   - x: the input that the layout is chosen for; other sizes also work.
    ///   - input: the quantisation of all inputs.
    init(_ layer: ConvNormActivation, for x: TensorSpec, input: Quantization, output: Quantization) {
        precondition(
            layer.activation == nil || layer.activation == .relu,
            "a quantised convolution can only be followed by ReLU")
        let folded = FoldedConvolution(layer)
        let rounded = folded.weight.to(dtype: .float32)
        let (stride, groups) = (Int64(folded.geometry.stride), Int64(folded.geometry.groups))
        let (shape, padding) = folded.geometry.bordered(x.shape)
        var scales: ct_tensor?
        weight = Frozen(
            tensor {
                ct_pack_quantized_convolution(
                    rounded.handle, stride, Int64(padding), groups, shape.map(Int64.init), input.qparams,
                    &scales, $0)
            })
        self.scales = Frozen(Tensor(owning: scales!))
        bias = folded.bias.map { Frozen($0.to(dtype: .float32)) }
        hasActivation = layer.activation != nil
        self.stride = stride
        self.groups = groups
        self.input = input
        self.output = output
    }

    func accepted(_ x: Tensor) -> Tensor { x.quantization == nil ? x.quantized(input) : x }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        precondition(x.quantization == input, "the weights are packed for a different input quantisation")
        return tensor(output) {
            ct_quantized_convolution(
                x.handle, input.qparams, weight.handle, scales.handle, bias?.handle, shortcut?.handle,
                (shortcut?.quantization ?? input).qparams, stride, Int64(padding), groups, hasActivation,
                output.qparams, $0)
        }
    }
}
