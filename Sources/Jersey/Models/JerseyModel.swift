import Torch

/// Encoder, perhaps a recurrent layer, pooling, and two digit heads; perhaps a third head for the whole number. Or encoder and heads
/// for every frame, and the sum of what they tell. This one learns; a `CompiledModel` of it reads.
package final class JerseyModel {
    /// The parts of a model; learning rates and freezing go by them.
    package enum Part: String, CaseIterable, Sendable {
        case encoder, temporal, pooling, heads
    }

    package struct Output {
        /// (B, 11): 0...9 and blank.
        package let tens: Tensor
        /// (B, 10).
        package let ones: Tensor
        /// (B, 110): the numbers of `JerseyNumber.all`; nil without that head.
        package let full: Tensor?
        /// (B, T) weights of the frames, zero on padding; nil where pooling has none.
        package let attention: Tensor?
        /// What each frame shows by itself; nil where frames are not read by themselves and summed.
        package var frames: FrameLogits?
    }

    package let spec: ModelSpec
    /// Whether it behaves as the study's model does where that is a defect.
    package let published: Bool
    package let device: Device
    package let store = ParameterStore()
    /// Where the encoder's names start.
    package let encoderPath: String

    let dtype: DType
    let encoder: FrameEncoder
    let head: ModelHead

    /// - Parameters:
    ///   - seed: what the initial weights are drawn from.
    ///   - dtype: float64 for comparisons that rounding must not blur; frames have to be of the same type.
    package init(_ spec: ModelSpec, seed: UInt64 = 0, published: Bool = false, device: Device = .cpu, dtype: DType = .float32) {
        self.spec = spec
        self.published = published
        self.device = device
        self.dtype = dtype
        let root = Scope(store, device: device, seed: seed, dtype: dtype)
        let backbone = spec.backbone(root)
        encoderPath = backbone.path + "."
        encoder = spec.encoder.encoder(backbone)
        head = ModelHead(spec, published: published, root, channels: encoder.channels)
    }

    /// The encoder alone: (N, 3, H, W) normalised frames to (N, F).
    package func encode(_ frames: Tensor, _ pass: Pass = .evaluation) -> Tensor {
        head.features(maps(frames, pass), pass)
    }

    /// The encoder's last feature maps: (N, 3, H, W) normalised frames to (N, C, h, w).
    package func maps(_ frames: Tensor, _ pass: Pass = .evaluation) -> Tensor {
        encoder(frames, pass).to(dtype: dtype)
    }

    /// - Parameters:
    ///   - frames: (R, 3, H, W) normalised frames. Valid frames only, sequence after sequence; or every sequence padded to the
    ///     longest, as the study has it, where `isPadded`.
    ///   - lengths: valid frames of each sequence.
    package func callAsFunction(
        _ frames: Tensor, lengths: [Int], isPadded: Bool = false, _ pass: Pass = .evaluation
    ) -> Output {
        let layout = PackedLayout(lengths: lengths, stride: isPadded ? lengths.max() : nil)
        return head.output(of: head.encoded(maps: maps(frames, pass), pass), layout, pass)
    }
}

extension ModelSpec {
    /// Where the encoder's tensors are born, and its features'. Names are the study's: its single-frame models have no
    /// "encoder" level.
    func backbone(_ root: Scope) -> Scope {
        (readsAnchorOnly ? root / "backbone" : root / "encoder" / "backbone").part(JerseyModel.Part.encoder.rawValue)
    }
}

/// What follows the encoder, from the maps of frames to the answer.
struct ModelHead {
    typealias Output = JerseyModel.Output

    let spec: ModelSpec
    let features: FrameFeatures
    private let temporal: Recurrent?
    private let pooling: any TemporalPooling
    private var digits: any DigitHeads
    private let full: Linear?
    private let readability: Linear?

    /// - Parameter channels: C of the maps.
    init(_ spec: ModelSpec, published: Bool, _ root: Scope, channels: Int) {
        self.spec = spec
        features = spec.encoder.features(spec.backbone(root), channels: channels)
        var width = features.count
        if let layer = spec.temporal {
            // The study calls the recurrent layer "rnn" before plain pooling and "gru" before attention.
            let scope = root / (spec.pooling.isAttention ? "gru" : "rnn")
            temporal = Recurrent(
                scope.part(JerseyModel.Part.temporal.rawValue), cell: layer.cell, inputs: width, hidden: layer.hidden,
                bidirectional: layer.bidirectional)
            width = layer.width
        } else {
            temporal = nil
        }
        pooling = spec.pooling.make(root.part(JerseyModel.Part.pooling.rawValue), width: width, published: published)
        let heads = root.part(JerseyModel.Part.heads.rawValue)
        digits =
            switch spec.digits {
            case .independent: IndependentDigits(heads, width: width)
            case .tied: TiedDigits(heads, channels: channels)
            }
        full = spec.hasFullHead ? Linear(heads / "fc_full", width, JerseyNumber.all.count) : nil
        readability = spec.judgesReadability ? Linear(heads / "fc_readability", width, 1) : nil
    }

    /// The same for maps of one shape (R, C, h, w): what the shape decides is done before the first frame.
    func prepared(for maps: [Int], on device: Device) -> ModelHead {
        guard let tied = digits as? TiedDigits else { return self }
        var head = self
        head.digits = CompiledDigits(tied, for: maps, on: device)
        return head
    }

    /// Where in each frame the number is, if there is one: maps to (R, 2), across and down, from 0 to 1. Only models
    /// with tied digits look for it.
    func numberPlaces(_ maps: Tensor) -> Tensor {
        guard let places = digits.numberPlaces(maps) else { preconditionFailure("\(spec.name) does not look for digits") }
        return places
    }

    /// What the model makes of each frame by itself, from their maps (R, C, h, w).
    func encoded(maps: Tensor, _ pass: Pass) -> EncodedFrames {
        let features = features(maps, pass)
        if temporal != nil { return .features(features) }
        let (tens, ones) = digits(features, maps: maps, pass)
        return .logits(
            FrameLogits(tens: tens, ones: ones, full: full?(features, pass), readability: readability?(features, pass)))
    }

    /// The rest of the model, from its encoded frames on.
    func output(of frames: EncodedFrames, _ layout: PackedLayout, _ pass: Pass) -> Output {
        switch frames {
        case .features(let features):
            guard let temporal else { preconditionFailure("\(spec.name) reads frames by themselves") }
            let recurrent = temporal(features, layout, pass)
            let (pooled, weights) = pooling(recurrent.states, final: recurrent.final, layout: layout, pass)
            return heads(pooled, weights, pass)
        case .logits(let logits):
            guard let (terms, weights) = logits.evidence() else {
                return Output(tens: logits.tens, ones: logits.ones, full: logits.full, attention: nil)
            }
            let sums = terms.map { layout.padded($0).sum(over: 1) }
            let padded = layout.padded(weights).squeezed(2)
            return Output(
                tens: sums[0], ones: sums[1], full: sums.count > 2 ? sums[2] : nil,
                attention: padded / padded.sum(over: 1, keep: true).clamped(to: 1e-12...1e12), frames: logits)
        }
    }

    /// One frame more of a sequence that is read as it comes: its maps (1, C, h, w), and the state that the frames before have left.
    func step(_ maps: Tensor, after state: Recurrent.State?, _ pass: Pass) -> (Output, Recurrent.State) {
        guard let temporal else { preconditionFailure("\(spec.name) has no state") }
        let state = temporal.step(features(maps, pass), after: state)
        return (heads(state.hidden, nil, pass), state)
    }

    private func heads(_ pooled: Tensor, _ attention: Tensor?, _ pass: Pass) -> Output {
        let (tens, ones) = digits(pooled, maps: nil, pass)
        return Output(tens: tens, ones: ones, full: full?(pooled, pass), attention: attention)
    }
}
