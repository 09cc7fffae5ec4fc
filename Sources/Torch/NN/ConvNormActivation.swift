/// Convolution, perhaps batch norm, perhaps the sum with a shortcut, perhaps an activation: what networks are built of.
///
/// It has two forms. The eager one does one after the other, and learns. The compiled one, which `ParameterStore.compile` asks for,
/// does all in one pass over memory.
package final class ConvNormActivation: Layer {
    let convolution: Conv2d
    let norm: BatchNorm2d?
    let activation: Activation?
    private(set) var form: (any CompiledConvolution)?

    package init(_ convolution: Conv2d, _ norm: BatchNorm2d? = nil, _ activation: Activation? = nil) {
        self.convolution = convolution
        self.norm = norm
        self.activation = activation
    }

    package func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, adding: nil) }

    /// - Parameter shortcut: added before the activation; of the shape of the result. It must not be needed afterwards: the compiled
    ///   form writes its result there.
    package func callAsFunction(_ x: Tensor, adding shortcut: Tensor?) -> Tensor {
        let y = output(x, adding: shortcut)
        convolution.store.ranges?.see(y, of: convolution.path)
        return y
    }

    private func output(_ x: Tensor, adding shortcut: Tensor?) -> Tensor {
        if let compilation = convolution.store.compilation { return compiled(x, adding: shortcut, compilation) }
        var y = convolution(x)
        if let norm {
            y = norm(y, adding: shortcut, relu: activation == .relu)
            if activation == .relu { return y }
        } else if let shortcut {
            y = y + shortcut
        }
        return activation?(y) ?? y
    }

    private func compiled(_ x: Tensor, adding shortcut: Tensor?, _ compilation: Compilation) -> Tensor {
        precondition(!convolution.store.isTraining, "a compiled model does not learn")
        let form = form ?? prepared(for: x, compilation)
        let (x, padding) = convolution.bordered(form.accepted(x))
        if let shortcut {
            // oneDNN writes into it without a look at its size.
            let shape = convolution.weight.shape
            let sides = x.shape[2...].map { ($0 + 2 * padding - shape[2]) / convolution.stride + 1 }
            precondition(shortcut.shape == [x.shape[0], shape[0]] + sides, "the shortcut has another shape than the result")
        }
        let y = form(x, padding: padding, adding: shortcut)
        convolution.count(y)
        return y
    }

    /// The first input decides on the layout. Later ones may come from several threads at once (`ParameterStore.isPure`).
    private func prepared(for x: Tensor, _ compilation: Compilation) -> any CompiledConvolution {
        let made = withoutGradients { compilation.form(of: self, for: x) }
        form = made
        return made
    }
}
