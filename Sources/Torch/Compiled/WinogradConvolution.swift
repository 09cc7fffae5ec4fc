import CTorch

/// A convolution by Winograd's minimal filtering if that is faster (`winograd.cpp`), else by
/// oneDNN. Only activations are in bfloat16.
///
/// Which is faster also depends on the number of frames. Most models need only one of the two
/// weight layouts, so the other is made when a pass first needs it.
struct WinogradConvolution: ConvolutionKernel {
    private let dtype: DType
    private let activation: Activation?
    private let outputs: Int64
    private let packed: Once<(weight: Frozen<Tensor>, bias: Frozen<Tensor>?)>
    private let fused: Once<FusedConvolution>

    /// Nil for layers and processors that the kernel does not support.
    ///
    /// - Parameters:
    ///   - x: the layer's usual input.
    ///   - lanes: floats in a register.
    init?(_ layer: ConvNormActivation, _ dtype: DType, for x: TensorSpec, lanes: Int64 = ct_winograd_lanes())
    {
        let geometry = layer.convolution.geometry
        guard layer.activation == nil || layer.activation == .relu, geometry.groups == 1,
            geometry.stride == 1,
            geometry.padding == .symmetric(1), geometry.kernel == 3, geometry.outputs.isMultiple(of: 16),
            geometry.inputs.isMultiple(of: 16), lanes > 0
        else { return nil }
        let folded = Frozen(FoldedConvolution(layer, copies: true))
        self.dtype = dtype
        activation = layer.activation
        outputs = Int64(geometry.outputs)
        packed = Once {
            let (original, factors) = (folded.value.original, folded.value.factors)
            let weight = tensor { ct_pack_winograd(original.handle, factors?.handle, lanes, $0) }
            return (Frozen(weight), folded.value.bias.map { Frozen($0.to(dtype: .float32)) })
        }
        fused = Once { FusedConvolution(folded.value, dtype, for: x) }
        // Pack now, when all threads are free. In a pass, they may be busy with one frame each.
        if pays(x.shape) { _ = packed() } else { _ = fused() }
    }

    private func pays(_ input: [Int]) -> Bool {
        ct_winograd_pays(input.map(Int64.init), dtype.rawValue, outputs)
    }

    func accepted(_ x: Tensor) -> Tensor { FusedConvolution.accepted(x, dtype) }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        guard pays(x.shape) else { return fused()(x, padding: padding, adding: shortcut) }
        let (weight, bias) = packed()
        return tensor {
            ct_winograd_convolution(
                x.handle, weight.handle, bias?.handle, shortcut?.handle, activation == .relu, $0)
        }
    }
}
