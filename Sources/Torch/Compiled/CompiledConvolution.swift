/// A convolution for inference, fused with the operations after it.
package struct CompiledConvolution: ConvolutionLayer, Sendable {
    let kernel: any ConvolutionKernel
    private let geometry: ConvolutionGeometry
    private let path: String

    init(_ layer: ConvNormActivation, _ kernel: any ConvolutionKernel) {
        self.kernel = kernel
        geometry = layer.convolution.geometry
        path = layer.convolution.path
    }

    package func callAsFunction(_ x: Tensor, adding shortcut: Tensor?, _ pass: Pass) -> Tensor {
        let (x, padding) = geometry.bordered(kernel.accepted(x))
        if let shortcut {
            // oneDNN writes into it without checking its size.
            let sides = x.shape[2...].map { ($0 + 2 * padding - geometry.kernel) / geometry.stride + 1 }
            precondition(
                shortcut.shape == [x.shape[0], geometry.outputs] + sides,
                "the shortcut's shape differs from the result's")
        }
        let y = kernel(x, padding: padding, adding: shortcut)
        pass.meter?.count(y, cost: geometry.cost)
        pass.ranges?.see(y, of: path)
        return y
    }
}

/// One implementation of a convolution, with its weights packed for it.
protocol ConvolutionKernel: Sendable {
    /// Converts the input to the type and layout that the kernel needs.
    func accepted(_ x: Tensor) -> Tensor
    /// - Parameters:
    ///   - padding: for this input; "same" padding depends on its size.
    ///   - shortcut: overwritten.
    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor
}
