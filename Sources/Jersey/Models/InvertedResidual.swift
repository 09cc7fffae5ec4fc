import Torch

/// The block of MobileNetV3 and EfficientNet: expand, depthwise, squeeze-and-excite, project, with
/// a shortcut if the shapes allow one.
struct InvertedResidual<Convolution: ConvolutionLayer>: Layer {
    let expansion: Convolution?
    let depthwise: Convolution
    let excitation: SqueezeExcitation<Convolution>?
    let projection: Convolution
    /// Nil without a shortcut.
    let drop: Dropout?

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        reduced(expanded(x, pass), adding: x, pass)
    }

    /// The first half: more channels, from which feature pyramids may take.
    func expanded(_ x: Tensor, _ pass: Pass) -> Tensor { expansion?(x, pass) ?? x }

    /// The second half.
    ///
    /// - Parameter x: the block's input, for the shortcut; it may be overwritten.
    func reduced(_ expanded: Tensor, adding x: Tensor, _ pass: Pass) -> Tensor {
        var y = depthwise(expanded, pass)
        if let excitation { y = excitation(y, pass) }
        guard let drop, drop.isActive(in: pass) else {
            return projection(y, adding: drop == nil ? nil : x, pass)
        }
        return drop(projection(y, pass), pass) + x
    }
}

extension InvertedResidual: Sendable where Convolution: Sendable {}

extension InvertedResidual<ConvNormActivation>: CompilableLayer {
    /// One row of a network's table.
    struct Row {
        let kernel: Int
        let expanded: Int
        let outputs: Int
        let stride: Int
        let activation: Activation
        var excitation: Excitation?
    }

    /// What all blocks of a network have in common.
    struct Style {
        var norm = NormStyle.standard
        /// Nil for symmetric padding.
        var padding: Padding?
    }

    /// - Parameter dropRate: stochastic depth: the probability in training that a frame skips the
    ///   block.
    init(_ scope: Scope, _ inputs: Int, _ row: Row, _ style: Style, dropRate: Double = 0) {
        let scope = scope / "block"
        var places = 0
        func next() -> Scope {
            defer { places += 1 }
            return scope / places
        }
        expansion =
            row.expanded == inputs
            ? nil
            : ConvNormActivation(
                next(), inputs, row.expanded, kernel: 1, norm: style.norm, activation: row.activation)
        depthwise = ConvNormActivation(
            next(), row.expanded, row.expanded, kernel: row.kernel, stride: row.stride, groups: row.expanded,
            padding: style.padding, norm: style.norm, activation: row.activation)
        excitation = row.excitation.map { SqueezeExcitation(next(), row.expanded, $0) }
        projection = ConvNormActivation(
            next(), row.expanded, row.outputs, kernel: 1, norm: style.norm, activation: nil)
        let hasShortcut = row.stride == 1 && inputs == row.outputs
        drop = hasShortcut ? Dropout(probability: dropRate, wholeRows: true) : nil
    }

    func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable {
        InvertedResidual<CompiledConvolution>(
            expansion: expansion.map { compiler($0, &x) }, depthwise: compiler(depthwise, &x),
            excitation: excitation.map { $0.compiled(by: compiler, for: x) },
            projection: compiler(projection, &x),
            drop: drop)
    }
}

/// The parameters of squeeze-and-excitation (Hu et al. 2018).
struct Excitation {
    let squeezed: Int
    let activation: Activation
    let gate: Activation
}

/// Scales every channel by a function of all channels' means.
struct SqueezeExcitation<Convolution: ConvolutionLayer>: Layer {
    let fc1: Convolution
    let fc2: Convolution

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        x * fc2(fc1(x.mean(over: 2, 3, keep: true), pass), pass)
    }
}

extension SqueezeExcitation: Sendable where Convolution: Sendable {}

extension SqueezeExcitation<ConvNormActivation> {
    init(_ scope: Scope, _ channels: Int, _ style: Excitation) {
        fc1 = ConvNormActivation(
            Conv2d(scope / "fc1", channels, style.squeezed, kernel: 1, bias: true, initial: .kaimingFanOut()),
            nil,
            style.activation)
        fc2 = ConvNormActivation(
            Conv2d(scope / "fc2", style.squeezed, channels, kernel: 1, bias: true, initial: .kaimingFanOut()),
            nil, style.gate)
    }

    func compiled(by compiler: Compiler, for x: TensorSpec) -> SqueezeExcitation<CompiledConvolution> {
        var means = TensorSpec(shape: x.shape.prefix(2) + [1, 1])
        return SqueezeExcitation<CompiledConvolution>(fc1: compiler(fc1, &means), fc2: compiler(fc2, &means))
    }
}
