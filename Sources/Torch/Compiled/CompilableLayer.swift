/// A layer that has a compiled form.
package protocol CompilableLayer: Layer {
    /// The layer as it reads from now on, with the weights as they are now.
    ///
    /// - Parameter x: what the layer will be given, as a rule; in the end, what it puts out. Layouts are chosen for
    ///   it; input of another size is read as well, perhaps slower.
    func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable
}

extension ConvNormActivation: CompilableLayer {
    package func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable { compiler(self, &x) }
}

extension MaxPool2d: CompilableLayer {
    package func compiled(by compiler: Compiler, for x: inout TensorSpec) -> any Layer & Sendable {
        for side in 2..<4 { x.shape[side] = (x.shape[side] + 2 * padding - kernel) / stride + 1 }
        return self
    }
}
