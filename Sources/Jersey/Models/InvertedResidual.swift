import Torch

/// The block of MobileNetV3 and EfficientNet: expand, depthwise, squeeze-and-excite, project; with a shortcut where shapes allow.
struct InvertedResidual: Layer {
    /// One row of a network's table.
    struct Row {
        let kernel: Int
        let expanded: Int
        let outputs: Int
        let stride: Int
        let activation: Activation
        var excitation: Excitation?
    }

    /// What a whole network has in common.
    struct Style {
        var norm = NormStyle.standard
        /// Nil for symmetric padding.
        var padding: Padding?
    }

    let layers: Sequential
    let projection: ConvNormActivation
    let drop: Dropout?

    /// - Parameter dropRate: stochastic depth, the probability of leaving the block out for a frame in training.
    init(_ scope: Scope, _ inputs: Int, _ row: Row, _ style: Style, dropRate: Double = 0) {
        let scope = scope / "block"
        var layers: [any Layer] = []
        if row.expanded != inputs {
            layers.append(
                ConvNormActivation(
                    scope / layers.count, inputs, row.expanded, kernel: 1, norm: style.norm, activation: row.activation))
        }
        layers.append(
            ConvNormActivation(
                scope / layers.count, row.expanded, row.expanded, kernel: row.kernel, stride: row.stride, groups: row.expanded,
                padding: style.padding, norm: style.norm, activation: row.activation))
        if let excitation = row.excitation {
            layers.append(SqueezeExcitation(scope / layers.count, row.expanded, excitation))
        }
        projection = ConvNormActivation(
            scope / layers.count, row.expanded, row.outputs, kernel: 1, norm: style.norm, activation: nil)
        self.layers = Sequential(layers)
        let hasShortcut = row.stride == 1 && inputs == row.outputs
        drop = hasShortcut ? Dropout(scope.store, probability: dropRate, wholeRows: true) : nil
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let y = layers(x)
        guard let drop, drop.isActive else { return projection(y, adding: drop == nil ? nil : x) }
        return drop(projection(y)) + x
    }
}

/// How squeeze-and-excitation (Hu et al. 2018) is set up.
struct Excitation {
    let squeezed: Int
    let activation: Activation
    let gate: Activation
}

/// Scales every channel by a function of all channels' means.
struct SqueezeExcitation: Layer {
    let fc1: ConvNormActivation
    let fc2: ConvNormActivation

    init(_ scope: Scope, _ channels: Int, _ style: Excitation) {
        fc1 = ConvNormActivation(
            Conv2d(scope / "fc1", channels, style.squeezed, kernel: 1, bias: true, initial: .kaimingFanOut()), nil,
            style.activation)
        fc2 = ConvNormActivation(
            Conv2d(scope / "fc2", style.squeezed, channels, kernel: 1, bias: true, initial: .kaimingFanOut()), nil, style.gate)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        x * fc2(fc1(x.mean(over: 2, 3, keep: true)))
    }
}
