/// A convolution, then optionally batch norm, the sum with a shortcut, and an activation: the
/// building block of the networks.
package protocol ConvolutionLayer: Layer {
    /// - Parameter shortcut: added before the activation; has the shape of the result. The caller
    ///   must not use it afterwards, because the result may reuse its memory.
    func callAsFunction(_ x: Tensor, adding shortcut: Tensor?, _ pass: Pass) -> Tensor
}

extension ConvolutionLayer {
    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { self(x, adding: nil, pass) }
}

/// The trainable form: one operation after the other.
package struct ConvNormActivation: ConvolutionLayer {
    let convolution: Conv2d
    let norm: BatchNorm2d?
    let activation: Activation?

    package init(_ convolution: Conv2d, _ norm: BatchNorm2d? = nil, _ activation: Activation? = nil) {
        self.convolution = convolution
        self.norm = norm
        self.activation = activation
    }

    package func callAsFunction(_ x: Tensor, adding shortcut: Tensor?, _ pass: Pass) -> Tensor {
        let y = output(x, adding: shortcut, pass)
        pass.ranges?.see(y, of: convolution.path)
        return y
    }

    private func output(_ x: Tensor, adding shortcut: Tensor?, _ pass: Pass) -> Tensor {
        var y = convolution(x, pass)
        if let norm {
            y = norm(y, adding: shortcut, relu: activation == .relu, pass)
            if activation == .relu { return y }
        } else if let shortcut {
            y = y + shortcut
        }
        return activation?(y) ?? y
    }
}
