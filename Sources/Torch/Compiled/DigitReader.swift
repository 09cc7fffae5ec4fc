import CTorch

/// Looks for digits in maps and tells them apart, in one pass: what learned queries, keys and a classifier come down to once there is no
/// more training.
///
/// A query's score of a place is linear in what the maps have there: q · (W x + b + p) = (Wᵀ q) · x + q · (b + p), where p depends on the
/// place alone. Keys need not be computed.
package struct DigitReader: Sendable {
    private let looks: Frozen<Tensor>
    private let offsets: Frozen<Tensor>
    private let hidden: (weight: Frozen<Tensor>, bias: Frozen<Tensor>)
    private let classifier: (weight: Frozen<Tensor>, bias: Frozen<Tensor>)

    /// - Parameters:
    ///   - key: of the maps, C to K.
    ///   - places: (P, K) what is added to the keys.
    ///   - queries: (Q, K), with what scores are multiplied by.
    ///   - hidden: C to C, with ReLU.
    ///   - classifiers: from C on, whose logits come one after the other.
    package init(key: Linear, places: Tensor, queries: Tensor, hidden: Linear, classifiers: [Linear]) {
        func exact(_ tensor: Tensor) -> Tensor { tensor.detached().to(dtype: .float64) }
        func kept(_ tensor: Tensor) -> Frozen<Tensor> { Frozen(tensor.to(dtype: .float32).contiguous()) }
        func bias(_ layer: Linear) -> Tensor { layer.bias.map(exact) ?? .zeros([layer.weight.shape[0]], dtype: .float64) }
        let queries = exact(queries)
        looks = kept(queries.matmul(exact(key.weight)))
        offsets = kept(queries.matmul((exact(places) + bias(key)).permuted(1, 0)))
        self.hidden = (kept(exact(hidden.weight).permuted(1, 0)), kept(bias(hidden)))
        classifier = (
            kept(.concatenated(classifiers.map { exact($0.weight) }, over: 0).permuted(1, 0)),
            kept(.concatenated(classifiers.map(bias), over: 0))
        )
    }

    /// - Parameter maps: (R, C, h, w), P places; float32, on the CPU.
    /// - Returns: (R, Q, classes) logits.
    package func callAsFunction(_ maps: Tensor) -> Tensor {
        tensor {
            ct_tied_digits(
                maps.handle, looks.handle, offsets.handle, hidden.weight.handle, hidden.bias.handle, classifier.weight.handle,
                classifier.bias.handle, $0)
        }
    }
}
