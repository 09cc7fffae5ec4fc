import CTorch
import Foundation

/// In float32 or bfloat16, by oneDNN.
struct FusedConvolution: CompiledConvolution {
    let dtype: DType
    let weight: Tensor
    let bias: Tensor?
    let stride: Int64
    let groups: Int64
    let activation: Activation?

    /// - Parameter x: of the size for which the layout is chosen; others are right as well.
    init(_ folded: FoldedConvolution, _ activation: Activation?, _ dtype: DType, for x: Tensor) {
        let convolution = folded.convolution
        let rounded = folded.weight.to(dtype: dtype)
        let (input, padding) = convolution.bordered(x)
        let (stride, groups) = (Int64(convolution.stride), Int64(convolution.groups))
        weight = tensor {
            ct_pack_convolution(rounded.handle, stride, Int64(padding), groups, input.shape.map(Int64.init), $0)
        }
        bias = folded.bias?.to(dtype: dtype)
        (self.dtype, self.activation, self.stride, self.groups) = (dtype, activation, stride, groups)
    }

    static func accepted(_ x: Tensor, _ dtype: DType) -> Tensor { x.to(dtype: dtype).contiguous(channelsLast: true) }

    func accepted(_ x: Tensor) -> Tensor { Self.accepted(x, dtype) }

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

/// By Winograd's minimal filtering where that is faster (`winograd.cpp`), and by oneDNN elsewhere. Only activations are in bfloat16.
///
/// Weights are laid out for each of the two when it is first needed; most models need only one.
final class WinogradConvolution: CompiledConvolution {
    private let folded: FoldedConvolution
    private let dtype: DType
    private let activation: Activation?
    private let lanes: Int64
    private let outputs: Int64
    /// Threads that share frames may be the first to ask, all at once.
    private let lock = NSLock()
    private var packed: (weight: Tensor, bias: Tensor?)?
    private var fused: FusedConvolution?

    /// Nil for layers and processors that it is not for.
    ///
    /// - Parameter lanes: floats of a register.
    init?(_ layer: ConvNormActivation, _ dtype: DType, lanes: Int64 = ct_winograd_lanes()) {
        let convolution = layer.convolution
        let shape = convolution.weight.shape
        guard layer.activation == nil || layer.activation == .relu, convolution.groups == 1,
            convolution.stride == 1, convolution.padding == .symmetric(1), shape[2...] == [3, 3],
            shape[0].isMultiple(of: 16), shape[1].isMultiple(of: 16), lanes > 0
        else { return nil }
        folded = FoldedConvolution(layer)
        (self.dtype, activation, self.lanes, outputs) = (dtype, layer.activation, lanes, Int64(shape[0]))
    }

    func accepted(_ x: Tensor) -> Tensor { FusedConvolution.accepted(x, dtype) }

    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor {
        guard ct_winograd_pays(x.handle, outputs) else {
            let convolution = lock.withLock { made(&fused) { FusedConvolution(folded, activation, dtype, for: x) } }
            return convolution(x, padding: padding, adding: shortcut)
        }
        let (weight, bias) = lock.withLock {
            made(&packed) {
                (
                    tensor { ct_pack_winograd(folded.original.handle, folded.factors?.handle, lanes, $0) },
                    folded.bias?.to(dtype: .float32)
                )
            }
        }
        return tensor {
            ct_winograd_convolution(x.handle, weight.handle, bias?.handle, shortcut?.handle, activation == .relu, $0)
        }
    }

    private func made<Form>(_ form: inout Form?, _ make: () -> Form) -> Form {
        if let form { return form }
        let made = withoutGradients(make)
        form = made
        return made
    }
}
