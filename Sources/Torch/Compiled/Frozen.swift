import CTorch

/// A tensor that is never written again, or a value that holds such tensors: for any number of threads to read.
///
/// `@unchecked Sendable`: what is frozen was made for this, so that no one else has its memory, and nothing here
/// writes to it. libtorch counts references atomically, and its operations only read what they are given.
package struct Frozen<Value>: @unchecked Sendable {
    package let value: Value

    /// - Parameter value: just made, with memory of its own; the caller forgets it.
    package init(_ value: Value) {
        self.value = value
    }
}

extension Frozen where Value == Tensor {
    var handle: ct_tensor { value.handle }
}

extension Frozen: Layer where Value: Layer {
    package func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { value(x, pass) }
}
