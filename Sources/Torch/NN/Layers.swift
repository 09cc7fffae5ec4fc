import CTorch

/// A function of one tensor with learned state.
package protocol Layer {
    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor
}

extension Layer {
    /// Runs the layer in evaluation mode.
    package func callAsFunction(_ x: Tensor) -> Tensor { self(x, .evaluation) }
}

/// 2-D convolution over (N, C, H, W).
package struct Conv2d: Layer {
    let weight: Tensor
    let bias: Tensor?
    let geometry: ConvolutionGeometry
    /// The prefix of its parameters' names.
    let path: String

    package init(
        _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Padding? = nil,
        groups: Int = 1,
        bias: Bool = false, initial: Initial? = nil
    ) {
        let fanIn = inputs / groups * kernel * kernel
        weight = scope.parameter(
            "weight", [outputs, inputs / groups, kernel, kernel], initial ?? .pytorch(fanIn: fanIn))
        self.bias =
            bias
            ? scope.parameter("bias", [outputs], initial == nil ? .pytorch(fanIn: fanIn) : .constant(0)) : nil
        geometry = ConvolutionGeometry(
            inputs: inputs, outputs: outputs, kernel: kernel, stride: stride,
            padding: padding ?? .symmetric(kernel / 2),
            groups: groups)
        path = scope.path
    }

    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        let (x, padding) = geometry.bordered(x)
        let (stride, groups) = (Int64(geometry.stride), Int64(geometry.groups))
        let output = tensor {
            ct_conv2d(x.handle, weight.handle, bias?.handle, stride, Int64(padding), groups, $0)
        }
        pass.meter?.count(output, cost: geometry.cost)
        return output
    }
}

/// Batch normalisation of (N, C, H, W) (Ioffe & Szegedy 2015), with PyTorch's meaning of momentum.
package struct BatchNorm2d: Layer {
    let weight: Tensor
    let bias: Tensor
    let runningMean: Tensor
    let runningVariance: Tensor
    let epsilon: Double
    let momentum: Double

    package init(_ scope: Scope, _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1) {
        weight = scope.parameter("weight", [channels], .constant(1))
        bias = scope.parameter("bias", [channels], .constant(0))
        runningMean = scope.buffer("running_mean", [channels], 0)
        runningVariance = scope.buffer("running_var", [channels], 1)
        // None of our networks uses the mode for which PyTorch counts batches. The entry exists so
        // that checkpoints match.
        _ = scope.buffer("num_batches_tracked", [], 0, dtype: .int64)
        self.epsilon = epsilon
        self.momentum = momentum
    }

    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        self(x, adding: nil, relu: false, pass)
    }

    /// Batch norm, then optionally the sum with a shortcut and ReLU, in the same passes over
    /// memory.
    func callAsFunction(_ x: Tensor, adding shortcut: Tensor?, relu: Bool, _ pass: Pass) -> Tensor {
        if let statistics = pass.statistics {
            return tensor {
                ct_synced_batch_norm(
                    x.handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle,
                    momentum, epsilon, shortcut?.handle, relu, statistics.sums, $0)
            }
        }
        return tensor {
            ct_batch_norm(
                x.handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle,
                pass.isTraining, momentum,
                epsilon, shortcut?.handle, relu, $0)
        }
    }
}

/// x Wᵀ + b over the last dimension.
package struct Linear: Layer {
    let weight: Tensor
    let bias: Tensor?

    package init(_ scope: Scope, _ inputs: Int, _ outputs: Int, bias: Bool = true, initial: Initial? = nil) {
        weight = scope.parameter("weight", [outputs, inputs], initial ?? .pytorch(fanIn: inputs))
        self.bias =
            bias
            ? scope.parameter("bias", [outputs], initial == nil ? .pytorch(fanIn: inputs) : .constant(0))
            : nil
    }

    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        let output = tensor { ct_linear(x.handle, weight.handle, bias?.handle, $0) }
        pass.meter?.count(output, cost: weight.shape[1])
        return output
    }
}

package struct MaxPool2d: Layer, Sendable {
    let kernel: Int
    let stride: Int
    let padding: Int

    package init(kernel: Int, stride: Int, padding: Int) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
    }

    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        let pool = x.quantization == nil ? ct_max_pool2d : ct_quantized_max_pool2d
        return tensor(x.quantization) { pool(x.handle, Int64(kernel), Int64(stride), Int64(padding), $0) }
    }
}

/// (N, C, H, W) to (N, C): the mean over height and width.
package struct GlobalAveragePool: Layer {
    package init() {}

    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { x.mean(over: 2, 3) }
}

/// An element-wise non-linearity.
package enum Activation: Layer, Sendable {
    case relu, relu6, silu, hardswish, hardsigmoid, sigmoid

    /// ReLU overwrites `x`. Use it only after layers, such as batch norm, whose backward pass does
    /// not need their output.
    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        switch self {
        case .relu: tensor { ct_relu(x.handle, true, $0) }
        case .relu6: tensor { ct_clamp(x.handle, 0, 6, $0) }
        case .silu: tensor { ct_silu(x.handle, false, $0) }
        case .hardswish: tensor { ct_hardswish(x.handle, false, $0) }
        case .hardsigmoid: tensor { ct_hardsigmoid(x.handle, $0) }
        case .sigmoid: x.sigmoid()
        }
    }
}

/// Dropout of single values, or of whole rows (stochastic depth, Huang et al. 2016). Only training
/// passes drop values.
package struct Dropout: Layer, Sendable {
    let probability: Double
    let wholeRows: Bool

    package init(probability: Double, wholeRows: Bool = false) {
        self.probability = probability
        self.wholeRows = wholeRows
    }

    /// Whether it drops values in this pass.
    package func isActive(in pass: Pass) -> Bool { pass.isTraining && probability > 0 }

    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        guard isActive(in: pass), let seed = pass.nextSeed() else { return x }
        // Drawn for the whole batch, so that the draws do not depend on who computes which rows.
        let rows = pass.share?.rows ?? 0..<x.shape[0]
        precondition(rows.count == x.shape[0], "only layers over the batch's frames can drop values")
        let shape = [pass.share?.all ?? rows.count] + x.shape.dropFirst().map { wholeRows ? 1 : $0 }
        let keep = 1 - probability
        let mask = Tensor.bernoulli(shape, keep, seed: seed).narrowed(0, to: rows) * (1 / keep)
        return x * mask.to(dtype: x.dtype, device: x.device)
    }
}
