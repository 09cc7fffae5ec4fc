import CTorch

/// What convolutions compute in once there is no more training: with the norms behind them folded in, their weights packed as oneDNN
/// or cuDNN likes them best, and with what follows done in the same pass over memory.
package enum Compilation {
    /// float32 or bfloat16; on a GPU float16, too.
    case float(DType)
    /// Integers of 8 bits: weights with a step for each output channel, activations with one for all (Jacob et al. 2018); on the CPU.
    ///
    /// - `input`: of the values that the network is given.
    /// - `outputs`: what a `RangeObserver` has seen; values outside are clamped.
    case int8(input: ClosedRange<Float>, outputs: [String: ClosedRange<Float>])

    /// Whether libtorch can do so on this device, and faster than in float32.
    func isSupported(on device: Device) -> Bool {
        switch self {
        case .float(let dtype): Self.computes(in: dtype, on: device)
        case .int8: Self.computes(in: .uint8, on: device)
        }
    }

    /// Whether the device has instructions for this kind of number, bytes included, and libtorch uses them: what is only emulated
    /// takes longer than float32.
    package static func computes(in dtype: DType, on device: Device) -> Bool {
        switch device {
        case .cuda: [.float32, .float16, .bfloat16].contains(dtype)
        case .cpu: checked { ct_fuses(dtype.rawValue, $0) }
        }
    }

    /// Frames (N, 3, H, W) as the first layer takes them, so that it need not lay them out itself.
    package func laidOut(_ frames: Tensor) -> Tensor {
        if case .float(let dtype) = self, frames.device == .cuda { return CUDAConvolution.laidOut(frames, dtype) }
        return frames
    }

    func form(of layer: ConvNormActivation, for x: Tensor) -> any CompiledConvolution {
        switch self {
        case .float(let dtype):
            if x.device == .cuda { return CUDAConvolution(layer, dtype) }
            return WinogradConvolution(layer, dtype)
                ?? FusedConvolution(FoldedConvolution(layer), layer.activation, dtype, for: x)
        case .int8(let input, let outputs):
            guard let output = outputs[layer.convolution.path] else {
                preconditionFailure("nothing is known of the range of \(layer.convolution.path)")
            }
            let (from, to) = (x.quantization ?? Quantization(input), Quantization(output))
            return Int8Convolution(layer, for: x, input: from, output: to)
                ?? QuantizedConvolution(layer, for: x, input: from, output: to)
        }
    }
}

/// Sees what the layers of a model put out, for as long as it is the `ranges` of its `ParameterStore`.
package final class RangeObserver {
    /// The range of each convolution with what follows it, by its path.
    package private(set) var ranges: [String: ClosedRange<Float>] = [:]
    /// The first that put out something infinite or not a number, which has no range: its weights are broken, though finite.
    package private(set) var broken: String?

    package init() {}

    func see(_ output: Tensor, of path: String) {
        precondition(output.quantization == nil, "ranges are seen before they are rounded")
        guard let seen = output.range else {
            broken = broken ?? path
            return
        }
        let (low, high) = (Float(seen.lowerBound), Float(seen.upperBound))
        let former = ranges[path] ?? low...high
        ranges[path] = min(former.lowerBound, low)...max(former.upperBound, high)
    }
}

/// A layer, ready to read.
protocol CompiledConvolution {
    /// The input as it has to be.
    func accepted(_ x: Tensor) -> Tensor
    /// - Parameters:
    ///   - padding: of this input; where it has to be "same", it depends on the size.
    ///   - shortcut: overwritten.
    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor
}

/// A convolution with the batch norm behind it.
struct FoldedConvolution {
    let convolution: Conv2d
    /// What the norm multiplies the weights of each output with, (O), in float64; nil without a norm.
    let factors: Tensor?
    /// In float64.
    let bias: Tensor?

    /// With γ, β, μ, σ² of the norm the weight is W γ / √(σ² + ε), the bias β + (b − μ) γ / √(σ² + ε).
    init(_ layer: ConvNormActivation) {
        convolution = layer.convolution
        let bias = layer.convolution.bias?.to(dtype: .float64)
        guard let norm = layer.norm else {
            (factors, self.bias) = (nil, bias)
            return
        }
        let deviation = (norm.runningVariance.to(dtype: .float64) + norm.epsilon).squareRoot()
        let factors = norm.weight.to(dtype: .float64) / deviation
        let mean = norm.runningMean.to(dtype: .float64)
        self.factors = factors
        self.bias = norm.bias.to(dtype: .float64) + (bias.map { $0 - mean } ?? mean * -1) * factors
    }

    /// (O, I / groups, K, K), without the norm, as the layer has it.
    var original: Tensor { convolution.weight }

    /// The same with the norm, in float64.
    var weight: Tensor {
        let weight = original.to(dtype: .float64)
        return factors.map { weight * $0.reshaped($0.count, 1, 1, 1) } ?? weight
    }
}
