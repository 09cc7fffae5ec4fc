import Foundation
import Torch

/// What is kept of frames that were looked at, to form an opinion from any of them at any time.
enum SeenFrames {
    /// Of a model that reads frames by themselves and sums what they say.
    case evidence([FrameEvidence])
    case frames(JerseyModel.Frames)

    /// - Parameter pictures: (R, H, W, 3) uint8 on the CPU.
    init(_ pictures: Tensor, by model: JerseyModel) {
        let frames = model.frames(FramePreprocessor.normalized(pictures, on: model.device))
        self = model.looks(of: frames).map { .evidence(FrameEvidence.each($0)) } ?? .frames(frames)
    }

    func adding(_ others: SeenFrames) -> SeenFrames {
        switch (self, others) {
        case (.evidence(let mine), .evidence(let theirs)): .evidence(mine + theirs)
        case (.frames(let mine), .frames(let theirs)): .frames(.concatenated([mine, theirs]))
        default: preconditionFailure("frames of two models")
        }
    }
}

/// What a frame says by itself, counted as far as it is likely to be read rightly. The evidence of several adds up.
struct FrameEvidence {
    /// Log-probabilities times `readability`: not normalised.
    let belief: Belief
    /// Of whole numbers; nil without that head.
    let full: [Double]?
    /// 0...1
    let readability: Double

    /// Of each frame. The same as the model's own sum, but of numbers that are at hand.
    static func each(_ looks: JerseyModel.Looks) -> [FrameEvidence] {
        let parts = [looks.tens, looks.ones, looks.readability] + [looks.full].compactMap { $0 }
        let widths = parts.map { $0.shape[1] }
        let values = Tensor.concatenated(parts, over: 1).array(of: Double.self)
        let width = widths.reduce(0, +)
        return stride(from: 0, to: values.count, by: width).map { start in
            let row = values[start..<start + width]
            let readability = 1 / (1 + exp(-row[start + widths[0] + widths[1]]))
            func evidence(_ range: Range<Int>) -> [Double] {
                Belief.combined([Array(row[range])]).map { $0 * readability }
            }
            let ones = start + widths[0]..<start + widths[0] + widths[1]
            return FrameEvidence(
                belief: Belief(tens: evidence(start..<ones.lowerBound), ones: evidence(ones)),
                full: looks.full.map { _ in evidence(ones.upperBound + 1..<start + width) }, readability: readability)
        }
    }
}

extension SequenceReader {
    /// Of each of several sequences, by the frames in those rows of `seen`, in time order.
    func opinions(of rows: [[Int]], in seen: SeenFrames) -> [Opinion] {
        switch seen {
        case .frames(let frames):
            let lengths = rows.map(\.count)
            return opinions(model.output(of: frames.gathered(rows.flatMap { $0 }), lengths: lengths), lengths: lengths)
        case .evidence(let evidence):
            return rows.map { rows in
                let frames = rows.map { evidence[$0] }
                let total = max(frames.reduce(0) { $0 + $1.readability }, 1e-12)
                let full = frames.compactMap(\.full)
                return Opinion(
                    belief: Belief(combining: frames.map(\.belief)), full: full.isEmpty ? nil : Belief.combined(full),
                    weights: frames.map { $0.readability / total })
            }
        }
    }
}
