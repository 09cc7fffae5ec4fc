import Torch

/// What a model makes of R frames, each by itself.
enum EncodedFrames {
    /// (R, F), of a model whose recurrent layer goes over the frames of a sequence.
    case features(Tensor)
    /// The logits of a model that reads each frame by itself.
    case logits(FrameLogits)

    /// - Parameter parts: of one model, in order; not empty.
    static func concatenated(_ parts: [EncodedFrames]) -> EncodedFrames {
        switch parts[0] {
        case .features:
            .features(
                .concatenated(parts.compactMap { if case .features(let features) = $0 { features } else { nil } }, over: 0))
        case .logits:
            .logits(.concatenated(parts.compactMap { if case .logits(let logits) = $0 { logits } else { nil } }))
        }
    }
}

/// The numbers that R frames show, each by itself.
package struct FrameLogits {
    /// (R, 11)
    package let tens: Tensor
    /// (R, 10)
    package let ones: Tensor
    /// (R, 110), the numbers of `JerseyNumber.all`; nil without that head.
    package let full: Tensor?
    /// (R, 1), the logit of the frame being read rightly; nil in models that do not judge it.
    package let readability: Tensor?

    /// What each frame adds to the sums of its sequence: log-probabilities of tens, ones and perhaps whole numbers (R, C), times
    /// the probability of being read rightly, which are the weights (R, 1); nil in models that do not judge it. `Evidence` is the
    /// same on the host.
    package func evidence() -> (terms: [Tensor], weights: Tensor)? {
        guard let readability else { return nil }
        let weights = readability.sigmoid()
        return ([tens, ones, full].compactMap(\.self).map { $0.logSoftmax(over: 1) * weights }, weights)
    }

    /// - Parameter parts: of one model, in order; not empty.
    static func concatenated(_ parts: [FrameLogits]) -> FrameLogits {
        func joined(_ tensors: [Tensor]) -> Tensor { .concatenated(tensors, over: 0) }
        return FrameLogits(
            tens: joined(parts.map(\.tens)), ones: joined(parts.map(\.ones)),
            full: parts[0].full.map { _ in joined(parts.compactMap(\.full)) },
            readability: parts[0].readability.map { _ in joined(parts.compactMap(\.readability)) })
    }
}
