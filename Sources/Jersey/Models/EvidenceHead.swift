import Torch

/// Sums the digits' log-probabilities of all frames, each weighted by the probability that the
/// frame is read correctly.
struct EvidenceHead: ModelHead {
    /// The logits of R frames, each by itself.
    struct Frames {
        let logits: FrameLogits
        /// (R, 1), the logits of the frames being read correctly.
        let readability: Tensor

        /// What each frame adds to the sums of its sequence: the log-probabilities of tens, ones
        /// and perhaps whole numbers (R, C), times the weights (R, 1), which are the probabilities
        /// of being read correctly. `Evidence` computes the same on the CPU.
        var evidence: (terms: [Tensor], weights: Tensor) {
            let weights = readability.sigmoid()
            return (logits.all.map { $0.logSoftmax(over: 1) * weights }, weights)
        }
    }

    private var reader: FrameReader
    private let readability: Linear

    init(_ reader: FrameReader, _ root: Scope) {
        self.reader = reader
        readability = Linear(root.part(.heads) / "fc_readability", reader.features.count, 1)
    }

    var features: FrameFeatures { reader.features }

    func prepared(for maps: [Int], on device: Device) -> EvidenceHead {
        var head = self
        head.reader = reader.prepared(for: maps, on: device)
        return head
    }

    func encoded(_ maps: Tensor, _ pass: Pass) -> Frames {
        let (logits, features) = reader(maps, pass)
        return Frames(logits: logits, readability: readability(features, pass))
    }

    func joined(_ parts: [Frames]) -> Frames {
        Frames(
            logits: .joined(parts.map(\.logits)),
            readability: .concatenated(parts.map(\.readability), over: 0))
    }

    func each(_ frames: Frames) -> [Evidence] {
        Evidence.each(frames.logits, readability: frames.readability)
    }

    func output(of frames: Frames, _ layout: PackedLayout, _ pass: Pass) -> Output {
        let (terms, weights) = frames.evidence
        let sums = terms.map { layout.padded($0).sum(over: 1) }
        let padded = layout.padded(weights).squeezed(2)
        return Output(
            tens: sums[0], ones: sums[1], full: sums.count > 2 ? sums[2] : nil,
            attention: padded / padded.sum(over: 1, keep: true).clamped(to: 1e-12...1e12))
    }

    func sequenceOutputs(_ output: Output, lengths: [Int]) -> [SequenceOutput] {
        SequenceOutput.each(output, lengths: lengths, hasWeights: true)
    }

    /// The plain sums, because the model was trained to sum weighted frames.
    func sequenceOutputs(of frames: [[Evidence]], _ pass: Pass) -> [SequenceOutput] {
        frames.map { frames in
            let sum = Evidence(frames)
            return SequenceOutput(
                sum, sum.distribution(correlation: 0),
                weights: frames.map { $0.weight / max(sum.weight, 1e-12) })
        }
    }

    func memory(limit: Int, _ pass: Pass) -> any FrameMemory {
        EvidenceMemory(head: self, pass: pass, correlation: 0)
    }

    /// Each frame is a sample of its own.
    func learningTargets(
        of frames: Frames, _ layout: PackedLayout, _ numbers: [JerseyNumber?], _ pass: Pass
    ) -> LearningTargets {
        let numbers = zip(numbers, layout.lengths).flatMap { Array(repeating: $0, count: $1) }
        precondition(numbers.count == frames.readability.shape[0], "padding would be learned from")
        return LearningTargets(frames.logits, readability: frames.readability, numbers)
    }

    /// The weights, then the terms of the sums.
    func exported(_ frames: Frames) -> [Tensor] {
        let (terms, weights) = frames.evidence
        return [weights] + terms
    }
}
