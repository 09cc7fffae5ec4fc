/// What is known of a tensor before it is there.
package struct TensorSpec: Sendable {
    package var shape: [Int]
    /// What its bytes stand for; nil where its elements are numbers themselves.
    var quantization: Quantization?

    /// A tensor of numbers.
    package init(shape: [Int]) {
        self.shape = shape
    }
}
