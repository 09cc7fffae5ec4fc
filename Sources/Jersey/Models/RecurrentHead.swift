import Torch

/// A recurrent layer over the features of all frames. Digits are read from its pooled states.
struct RecurrentHead: ModelHead {
    let features: FrameFeatures
    private let recurrent: Recurrent
    private let pooling: any TemporalPooling
    private let digits: IndependentDigits
    private let full: Linear?
    /// Whether the weights of frames are learned. The equal weights of a mean are not attention.
    private let isAttention: Bool
    /// Whether the state after a frame is all that the next frame and the answer need.
    private let continuesFromState: Bool

    init(
        _ layer: ModelSpec.Temporal, _ pooling: ModelSpec.Pooling, hasFullHead: Bool,
        _ features: FrameFeatures, _ root: Scope,
        published: Bool
    ) {
        self.features = features
        isAttention = pooling.isAttention
        continuesFromState = pooling == .final && !layer.bidirectional
        // The study calls the recurrent layer "rnn" before plain pooling and "gru" before
        // attention.
        recurrent = Recurrent(
            (root / (pooling.isAttention ? "gru" : "rnn")).part(.temporal), cell: layer.cell,
            inputs: features.count,
            hidden: layer.hidden, bidirectional: layer.bidirectional)
        self.pooling = pooling.make(root.part(.pooling), width: layer.width, published: published)
        let heads = root.part(.heads)
        digits = IndependentDigits(heads, width: layer.width)
        full = hasFullHead ? Linear(heads / "fc_full", layer.width, JerseyNumber.all.count) : nil
    }

    /// Features (R, F).
    func encoded(_ maps: Tensor, _ pass: Pass) -> Tensor { features(maps, pass) }
    func joined(_ parts: [Tensor]) -> Tensor { .concatenated(parts, over: 0) }
    /// (1, F)
    func each(_ frames: Tensor) -> [Tensor] {
        (0..<frames.shape[0]).map { frames.narrowed(0, to: $0..<$0 + 1) }
    }

    func output(of frames: Tensor, _ layout: PackedLayout, _ pass: Pass) -> Output {
        let recurrent = recurrent(frames, layout, pass)
        let (pooled, weights) = pooling(recurrent.states, final: recurrent.final, layout: layout, pass)
        return output(pooled, weights, pass)
    }

    private func output(_ pooled: Tensor, _ attention: Tensor?, _ pass: Pass) -> Output {
        let (tens, ones) = digits(pooled, pass)
        return Output(tens: tens, ones: ones, full: full?(pooled, pass), attention: attention)
    }

    func sequenceOutputs(_ output: Output, lengths: [Int]) -> [SequenceOutput] {
        SequenceOutput.each(output, lengths: lengths, hasWeights: isAttention)
    }

    func sequenceOutputs(of frames: [[Tensor]], _ pass: Pass) -> [SequenceOutput] {
        let lengths = frames.map(\.count)
        let output = output(
            of: .concatenated(Array(frames.joined()), over: 0), PackedLayout(lengths: lengths), pass)
        return sequenceOutputs(output, lengths: lengths)
    }

    func memory(limit: Int, _ pass: Pass) -> any FrameMemory {
        continuesFromState
            ? LastState(head: self, pass: pass) : LastFrames(head: self, pass: pass, limit: limit)
    }

    func exported(_ frames: Tensor) -> [Tensor] { [frames] }
}

// MARK: - Frame by frame

extension RecurrentHead {
    /// For a unidirectional layer whose final state is the answer: the answer equals that of all
    /// frames at once.
    private struct LastState: FrameMemory {
        let head: RecurrentHead
        let pass: Pass
        private var state: Recurrent.State?
        private var known: SequenceOutput?

        init(head: RecurrentHead, pass: Pass) {
            self.head = head
            self.pass = pass
        }

        mutating func add(_ maps: Tensor) {
            let next = head.recurrent.step(head.features(maps, pass), after: state)
            known = head.sequenceOutputs(head.output(next.hidden, nil, pass), lengths: [1])[0]
            state = next
        }

        func output() -> SequenceOutput? { known }
    }

    /// The last frames, as many as the model takes, and their combined output once it was
    /// asked for.
    private struct LastFrames: FrameMemory {
        let head: RecurrentHead
        let pass: Pass
        let limit: Int
        private var frames: [Tensor] = []
        private var known: SequenceOutput?

        init(head: RecurrentHead, pass: Pass, limit: Int) {
            self.head = head
            self.pass = pass
            self.limit = limit
        }

        mutating func add(_ maps: Tensor) {
            frames = frames.suffix(limit - 1) + [head.encoded(maps, pass)]
            known = nil
        }

        mutating func output() -> SequenceOutput? {
            if known == nil, !frames.isEmpty { known = head.sequenceOutputs(of: [frames], pass)[0] }
            return known
        }
    }
}
