import CTorch

/// A tensor that is never written again, or a value that holds such tensors. Any number of threads
/// may read it.
///
/// `@unchecked Sendable`: the value was made for this purpose, so nothing else refers to its
/// memory, and nothing here writes to it. libtorch counts references atomically, and its operations
/// only read their inputs.
package struct Frozen<Value>: @unchecked Sendable {
    package let value: Value

    /// - Parameter value: newly made, with memory of its own. The caller must not keep it.
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
