import CTorch

/// Finds digits in feature maps and classifies them, in one pass. It is the inference form of
/// learned queries, keys and a classifier.
///
/// A query's score of a place is linear in the features x there:
/// q · (W x + b + p) = (Wᵀ q) · x + q · (b + p), where p depends only on the place. So keys need
/// not be computed.
package struct DigitReader: Sendable {
    private let looks: Frozen<Tensor>
    private let offsets: Frozen<Tensor>
    private let hidden: (weight: Frozen<Tensor>, bias: Frozen<Tensor>)
    private let classifier: (weight: Frozen<Tensor>, bias: Frozen<Tensor>)

    /// - Parameters:
    ///   - key: maps features to keys, C to K.
    ///   - places: (P, K), added to the keys.
    ///   - queries: (Q, K), multiplied by the scale of the scores.
    ///   - hidden: C to C, followed by ReLU.
    ///   - classifiers: take C inputs; their logits are concatenated.
    package init(key: Linear, places: Tensor, queries: Tensor, hidden: Linear, classifiers: [Linear]) {
        func exact(_ tensor: Tensor) -> Tensor { tensor.detached().to(dtype: .float64) }
        func kept(_ tensor: Tensor) -> Frozen<Tensor> { Frozen(tensor.to(dtype: .float32).contiguous()) }
        func bias(_ layer: Linear) -> Tensor {
            layer.bias.map(exact) ?? .zeros([layer.weight.shape[0]], dtype: .float64)
        }
        let queries = exact(queries)
        looks = kept(queries.matmul(exact(key.weight)))
        offsets = kept(queries.matmul((exact(places) + bias(key)).permuted(1, 0)))
        self.hidden = (kept(exact(hidden.weight).permuted(1, 0)), kept(bias(hidden)))
        classifier = (
            kept(.concatenated(classifiers.map { exact($0.weight) }, over: 0).permuted(1, 0)),
            kept(.concatenated(classifiers.map(bias), over: 0))
        )
    }

    /// - Parameter maps: (R, C, h, w) with h · w = P places; float32, on the CPU.
    /// - Returns: (R, Q, classes) logits.
    package func callAsFunction(_ maps: Tensor) -> Tensor {
        tensor {
            ct_tied_digits(
                maps.handle, looks.handle, offsets.handle, hidden.weight.handle, hidden.bias.handle,
                classifier.weight.handle,
                classifier.bias.handle, $0)
        }
    }
}
