import CTorch

/// In integers of 8 bits, by our own way (`int8.cpp`).
struct Int8Convolution: CompiledConvolution {
    let weight: Tensor
    let factors: Tensor
    let stride: Int64
    let hasActivation: Bool
    let input: Quantization
    let output: Quantization
    private let lanes: Int64

    /// Nil for layers and processors that it is not for.
    ///
    /// - Parameter lanes: sums of a register.
    init?(
        _ layer: ConvNormActivation, for x: Tensor, input: Quantization, output: Quantization, lanes: Int64 = ct_int8_lanes()
    ) {
        let convolution = layer.convolution
        guard layer.activation == nil || layer.activation == .relu, convolution.groups == 1,
            x.quantization == nil || x.shape[1].isMultiple(of: 4), lanes > 0,
            ct_fits_int8(convolution.weight.handle)
        else { return nil }
        let folded = FoldedConvolution(layer)
        var factors: ct_tensor?
        weight = tensor {
            ct_pack_int8(
                folded.original.handle, folded.factors?.handle, folded.bias?.handle, input.steps, output.steps, lanes, &factors,
                $0)
        }
        self.factors = Tensor(owning: factors!)
        hasActivation = layer.activation != nil
        (stride, self.input, self.output, self.lanes) = (Int64(convolution.stride), input, output, lanes)
    }

    func accepted(_ x: Tensor) -> Tensor { x.quantization == nil ? x.to(dtype: .float32).contiguous(channelsLast: true) : x }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        precondition(x.quantization ?? input == input, "a convolution is packed for input of one quantisation")
        return tensor(output) {
            ct_int8_convolution(
                x.handle, input.steps, weight.handle, factors.handle, shortcut?.handle, (shortcut?.quantization ?? input).steps,
                stride, Int64(padding), hasActivation, output.steps, lanes, $0)
        }
    }
}
