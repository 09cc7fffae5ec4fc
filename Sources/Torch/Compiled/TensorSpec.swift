/// The shape and quantisation of a tensor that does not exist yet.
package struct TensorSpec: Sendable {
    package var shape: [Int]
    /// Nil if the tensor is not quantised.
    var quantization: Quantization?

    /// A tensor that is not quantised.
    package init(shape: [Int]) {
        self.shape = shape
    }
}
