import CTorch

/// In integers of 8 bits, from quantised tensors to quantised ones, by oneDNN.
struct QuantizedConvolution: CompiledConvolution {
    let weight: Tensor
    let steps: Tensor
    let bias: Tensor?
    let stride: Int64
    let groups: Int64
    let hasActivation: Bool
    let input: Quantization
    let output: Quantization

    /// - Parameters:
    ///   - x: of the size for which the layout is chosen.
    ///   - input: that all input will have.
    init(_ layer: ConvNormActivation, for x: Tensor, input: Quantization, output: Quantization) {
        precondition(layer.activation == nil || layer.activation == .relu, "only ReLU follows a quantised convolution")
        let folded = FoldedConvolution(layer)
        let rounded = folded.weight.to(dtype: .float32)
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
