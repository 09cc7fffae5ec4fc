/// A convolution that only reads, with all that follows it.
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
            // oneDNN writes into it without a look at its size.
            let sides = x.shape[2...].map { ($0 + 2 * padding - geometry.kernel) / geometry.stride + 1 }
            precondition(
                shortcut.shape == [x.shape[0], geometry.outputs] + sides,
                "the shortcut has another shape than the result")
        }
        let y = kernel(x, padding: padding, adding: shortcut)
        pass.meter?.count(y, cost: geometry.cost)
        pass.ranges?.see(y, of: path)
        return y
    }
}

/// One way to compute a convolution, with its weights laid out for it.
protocol ConvolutionKernel: Sendable {
    /// The input as it has to be.
    func accepted(_ x: Tensor) -> Tensor
    /// - Parameters:
    ///   - padding: of this input; where it has to be "same", it depends on the size.
    ///   - shortcut: overwritten.
    func callAsFunction(_ x: Tensor, padding: Int, adding shortcut: Tensor?) -> Tensor
}
