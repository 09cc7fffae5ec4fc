import Foundation
import Torch

/// What a model makes of one frame, kept until the frames of its sequence are put together.
enum FrameOutput {
    /// (1, F), of a model whose recurrent layer goes over the frames of a sequence.
    case features(Tensor)
    /// What the frame says, in a model that reads each frame by itself.
    case evidence(Evidence)

    /// One for each of the frames.
    static func each(_ frames: EncodedFrames) -> [FrameOutput] {
        switch frames {
        case .features(let features):
            (0..<features.shape[0]).map { .features(features.narrowed(0, to: $0..<$0 + 1)) }
        case .logits(let logits): Evidence.each(logits).map(FrameOutput.evidence)
        }
    }

    var evidence: Evidence? { if case .evidence(let evidence) = self { evidence } else { nil } }
    var features: Tensor? { if case .features(let features) = self { features } else { nil } }
}

extension Evidence {
    /// One for each frame, weighted by how likely it is read rightly where the model judges that.
    static func each(_ logits: FrameLogits) -> [Evidence] {
        let parts = [logits.tens, logits.ones, logits.full, logits.readability].compactMap(\.self)
        let values = Tensor.concatenated(parts, over: 1).array(of: Double.self)
        let width = parts.reduce(0) { $0 + $1.shape[1] }
        return stride(from: 0, to: values.count, by: width).map { start in
            var row = values[start..<start + width]
            func next(_ tensor: Tensor) -> ArraySlice<Double> {
                defer { row = row.dropFirst(tensor.shape[1]) }
                return row.prefix(tensor.shape[1])
            }
            let digits = DigitDistribution(tens: Array(next(logits.tens)), ones: Array(next(logits.ones)))
            let full = logits.full.map { DigitDistribution.logSoftmax(next($0)) }
            let readability = logits.readability.flatMap { next($0).first }.map { 1 / (1 + exp(-$0)) }
            return Evidence(digits, full: full, weight: readability ?? 1)
        }
    }
}
