import CTorch

/// A function of one tensor with learned state.
package protocol Layer {
    func callAsFunction(_ x: Tensor) -> Tensor
}

/// Layers one after the other.
package struct Sequential: Layer {
    package var layers: [any Layer]

    package init(_ layers: [any Layer]) {
        self.layers = layers
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        layers.reduce(x) { $1($0) }
    }
}

/// How a convolution's border is made.
package enum Padding: Sendable, Equatable {
    case symmetric(Int)
    /// TensorFlow's "SAME": as much as the output size ⌈n / stride⌉ needs, the odd pixel at the right and bottom.
    case tensorFlowSame
}

/// 2-D convolution over (N, C, H, W).
package struct Conv2d: Layer {
    let weight: Tensor
    let bias: Tensor?
    let stride: Int
    let padding: Padding
    let groups: Int
    /// What its parameters' names begin with.
    let path: String
    let store: ParameterStore

    package init(
        _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Padding? = nil, groups: Int = 1,
        bias: Bool = false, initial: Initial? = nil
    ) {
        let fanIn = inputs / groups * kernel * kernel
        weight = scope.parameter("weight", [outputs, inputs / groups, kernel, kernel], initial ?? .pytorch(fanIn: fanIn))
        self.bias = bias ? scope.parameter("bias", [outputs], initial == nil ? .pytorch(fanIn: fanIn) : .constant(0)) : nil
        self.stride = stride
        self.padding = padding ?? .symmetric(kernel / 2)
        self.groups = groups
        path = scope.path
        store = scope.store
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        let (x, padding) = bordered(x)
        let output = tensor {
            ct_conv2d(x.handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), Int64(groups), $0)
        }
        count(output)
        return output
    }

    func count(_ output: Tensor) {
        store.meter?.count(output, cost: weight.count / weight.shape[0])
    }

    /// The input, with a border where sides need different ones, and the zeros that remain to be added on all sides.
    func bordered(_ x: Tensor) -> (Tensor, padding: Int) {
        if case .symmetric(let padding) = padding { return (x, padding) }
        let kernel = weight.shape[2]
        func total(_ size: Int) -> Int { max(((size + stride - 1) / stride - 1) * stride + kernel - size, 0) }
        let (height, width) = (total(x.shape[2]), total(x.shape[3]))
        if height == width, height.isMultiple(of: 2) { return (x, height / 2) }
        let (left, top) = (width / 2, height / 2)
        return (x.padded(left: left, right: width - left, top: top, bottom: height - top), 0)
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
    let store: ParameterStore

    package init(_ scope: Scope, _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1) {
        weight = scope.parameter("weight", [channels], .constant(1))
        bias = scope.parameter("bias", [channels], .constant(0))
        runningMean = scope.buffer("running_mean", [channels], 0)
        runningVariance = scope.buffer("running_var", [channels], 1)
        // PyTorch counts batches for a mode that none of our networks uses; the entry is kept so that checkpoints match.
        _ = scope.buffer("num_batches_tracked", [], 0, dtype: .int64)
        self.epsilon = epsilon
        self.momentum = momentum
        store = scope.store
    }

    package func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, adding: nil, relu: false) }

    /// With what often follows, in the same passes over memory: the sum with a shortcut, and ReLU.
    func callAsFunction(_ x: Tensor, adding shortcut: Tensor?, relu: Bool) -> Tensor {
        tensor {
            ct_batch_norm(
                x.handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle, store.isTraining, momentum,
                epsilon, shortcut?.handle, relu, $0)
        }
    }
}

/// x Wᵀ + b over the last dimension.
package struct Linear: Layer {
    let weight: Tensor
    let bias: Tensor?
    let store: ParameterStore

    package init(_ scope: Scope, _ inputs: Int, _ outputs: Int, bias: Bool = true, initial: Initial? = nil) {
        weight = scope.parameter("weight", [outputs, inputs], initial ?? .pytorch(fanIn: inputs))
        self.bias = bias ? scope.parameter("bias", [outputs], initial == nil ? .pytorch(fanIn: inputs) : .constant(0)) : nil
        store = scope.store
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        let output = tensor { ct_linear(x.handle, weight.handle, bias?.handle, $0) }
        store.meter?.count(output, cost: weight.shape[1])
        return output
    }
}

package struct MaxPool2d: Layer {
    let kernel: Int
    let stride: Int
    let padding: Int

    package init(kernel: Int, stride: Int, padding: Int) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        let pool = x.quantization == nil ? ct_max_pool2d : ct_quantized_max_pool2d
        return tensor(x.quantization) { pool(x.handle, Int64(kernel), Int64(stride), Int64(padding), $0) }
    }
}

/// (N, C, H, W) to (N, C): the mean over the picture.
package struct GlobalAveragePool: Layer {
    package init() {}

    package func callAsFunction(_ x: Tensor) -> Tensor { x.mean(over: 2, 3) }
}

/// An element-wise non-linearity.
package enum Activation: Layer, Sendable {
    case relu, relu6, silu, hardswish, hardsigmoid, sigmoid

    /// ReLU works in place where its input is not needed again, as batch norm's output is not; the caller's tensor is changed.
    package func callAsFunction(_ x: Tensor) -> Tensor {
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

/// Dropout in training: of single values, or of whole rows (stochastic depth, Huang et al. 2016).
package struct Dropout: Layer {
    let probability: Double
    let wholeRows: Bool
    let store: ParameterStore

    /// Whether it changes anything now.
    package var isActive: Bool { store.isTraining && probability > 0 }

    package init(_ store: ParameterStore, probability: Double, wholeRows: Bool = false) {
        self.store = store
        self.probability = probability
        self.wholeRows = wholeRows
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        guard isActive else { return x }
        let shape = wholeRows ? [x.shape[0]] + x.shape.dropFirst().map { _ in 1 } : x.shape
        let keep = 1 - probability
        let mask = Tensor.bernoulli(shape, keep, seed: store.nextDraw()) * (1 / keep)
        return x * mask.to(dtype: x.dtype, device: x.device)
    }
}
