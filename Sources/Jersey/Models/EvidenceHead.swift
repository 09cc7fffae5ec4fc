import Torch

/// Averages the digits' log-probabilities of all frames. The weight of a frame is the square of the
/// probability that it is read correctly.
struct EvidenceHead: ModelHead {
    /// The logits of R frames, each by itself.
    struct Frames {
        let logits: FrameLogits
        /// (R, 1), the logits of the frames being read correctly.
        let readability: Tensor
        /// (R, F), by which frames are compared.
        let features: Tensor

        /// (R, 1 + C + F): everything that `Looks` needs.
        var rows: Tensor { .concatenated([readability] + logits.all + [features], over: 1) }
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
        return Frames(logits: logits, readability: readability(features, pass), features: features)
    }

    func joined(_ parts: [Frames]) -> Frames {
        Frames(
            logits: .joined(parts.map(\.logits)),
            readability: .concatenated(parts.map(\.readability), over: 0),
            features: .concatenated(parts.map(\.features), over: 0))
    }

    func each(_ frames: Frames) -> [Looks] {
        Looks.each(frames.rows, classes: frames.logits.all.map { $0.shape[1] })
    }

    /// The means that the model has without a calibration, and a row of the output for every frame.
    func output(of frames: Frames, _ layout: PackedLayout, _ pass: Pass) -> Output {
        let readability = frames.readability.sigmoid()
        let weights = layout.padded(readability * readability)  // (B, T, 1)
        let shares = weights / weights.sum(over: 1, keep: true).clamped(to: 1e-30...1e30)
        let means = frames.logits.all.map { (layout.padded($0.logSoftmax(over: 1)) * shares).sum(over: 1) }
        return Output(
            tens: means[0], ones: means[1], full: means.count > 2 ? means[2] : nil,
            attention: shares.squeezed(2), frames: frames.rows)
    }

    func sequenceOutputs(_ output: Output, lengths: [Int]) -> [SequenceOutput] {
        guard let rows = output.frames else { preconditionFailure("the output has no frames") }
        let classes = [output.tens, output.ones, output.full].compactMap { $0?.shape[1] }
        var looks = Looks.each(rows, classes: classes)[...]
        return lengths.map { length in
            defer { looks = looks.dropFirst(length) }
            return SequenceOutput(looks.prefix(length))
        }
    }

    func sequenceOutputs(of frames: [[Looks]], _ pass: Pass) -> [SequenceOutput] {
        frames.map { SequenceOutput($0) }
    }

    func memory(limit: Int, _ pass: Pass) -> any FrameMemory {
        SumMemory(head: self, pass: pass) { SequenceOutput([$0]) }
    }

    /// Each frame is a sample of its own.
    func learningTargets(
        of frames: Frames, _ layout: PackedLayout, _ numbers: [JerseyNumber?], _ pass: Pass
    ) -> LearningTargets {
        let numbers = zip(numbers, layout.lengths).flatMap { Array(repeating: $0, count: $1) }
        precondition(numbers.count == frames.readability.shape[0], "padding would be learned from")
        return LearningTargets(frames.logits, readability: frames.readability, numbers)
    }

    /// The probabilities of being read correctly, the features, then log-probabilities.
    func exported(_ frames: Frames) -> [Tensor] {
        [frames.readability.sigmoid(), frames.features] + frames.logits.all.map { $0.logSoftmax(over: 1) }
    }
}
