/// A layer that has a compiled form.
package protocol CompilableLayer: Layer {
    /// The compiled form of the layer, with its current weights.
    ///
    /// - Parameter x: the layer's usual input on entry, and its output on return. Layouts are
    ///   chosen for this input; other sizes also work, perhaps slower.
    func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable
}

extension ConvNormActivation: CompilableLayer {
    package func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable {
        compiler(self, &x)
    }
}

extension MaxPool2d: CompilableLayer {
    package func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable {
        for side in 2..<4 { x.shape[side] = (x.shape[side] + 2 * padding - kernel) / stride + 1 }
        return self
    }
}
