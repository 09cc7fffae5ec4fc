import CTorch

/// Mean cross-entropy of `logits` (N, C) against class indices `labels` (N), int64.
///
/// - Parameters:
///   - classWeights: (C) weights of the classes; the mean is weighted with them.
///   - smoothing: share of the target spread evenly over all classes, 0...1.
package func crossEntropy(
    _ logits: Tensor, _ labels: Tensor, classWeights: Tensor? = nil, smoothing: Double = 0
) -> Tensor {
    tensor { ct_cross_entropy(logits.handle, labels.handle, classWeights?.handle, smoothing, $0) }
}
