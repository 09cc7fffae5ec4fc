import Torch

/// Encoder, perhaps a recurrent layer, pooling, and two digit heads; perhaps a third head for the whole number. Or encoder and heads
/// for every frame, and the sum of what they tell.
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

    private let encoder: any FrameEncoder
    private let temporal: Recurrent?
    private let pooling: any TemporalPooling
    private let digits: any DigitHeads
    private let full: Linear?
    private let readability: Linear?
    private let dtype: DType
    /// What the encoder computes in.
    package private(set) var precision = Precision.float32
    /// Passes of a compiled model on a GPU.
    private var recordedPasses: RecordedPasses?
    /// Sizes of frames that the compiled layers have had, and so have laid out their weights for.
    private var readyFor: Set<[Int]> = []
    /// Frames that a thread takes at once, at most: with fewer each operation's start weighs more, with more their maps leave the cache.
    private static let share = 32

    /// - Parameters:
    ///   - seed: what the initial weights are drawn from.
    ///   - dtype: float64 for comparisons that rounding must not blur; frames have to be of the same type.
    package init(_ spec: ModelSpec, seed: UInt64 = 0, published: Bool = false, device: Device = .cpu, dtype: DType = .float32) {
        self.spec = spec
        self.published = published
        self.device = device
        self.dtype = dtype
        let root = Scope(store, device: device, seed: seed, dtype: dtype)
        // Names are the study's: its single-frame models have no "encoder" level, and it calls the recurrent layer "rnn" before
        // plain pooling and "gru" before attention.
        let backbone = spec.readsAnchorOnly ? root / "backbone" : root / "encoder" / "backbone"
        encoderPath = backbone.path + "."
        encoder = spec.encoder.make(backbone.part(Part.encoder.rawValue))
        var width = encoder.featureCount
        if let layer = spec.temporal {
            let scope = root / (spec.pooling.isAttention ? "gru" : "rnn")
            temporal = Recurrent(
                scope.part(Part.temporal.rawValue), cell: layer.cell, inputs: width, hidden: layer.hidden,
                bidirectional: layer.bidirectional)
            width = layer.width
        } else {
            temporal = nil
        }
        pooling = spec.pooling.make(root.part(Part.pooling.rawValue), width: width, published: published)
        let heads = root.part(Part.heads.rawValue)
        digits =
            switch spec.digits {
            case .independent: IndependentDigits(heads, width: width)
            case .tied: TiedDigits(heads, channels: encoder.mapChannels)
            }
        full = spec.hasFullHead ? Linear(heads / "fc_full", width, JerseyNumber.all.count) : nil
        readability = spec.judgesReadability ? Linear(heads / "fc_readability", width, 1) : nil
    }

    /// The encoder alone: (N, 3, H, W) normalised frames to (N, F).
    package func encode(_ frames: Tensor) -> Tensor {
        encoder.pooled(maps(frames))
    }

    /// The encoder's last feature maps: (N, 3, H, W) normalised frames to (N, C, h, w).
    package func maps(_ frames: Tensor) -> Tensor {
        // What follows the maps is little work, and stays as exact as it was.
        encoder.maps(frames).dequantized().to(dtype: dtype)
    }

    /// Makes a model that only reads from now on, faster: its encoder computes in `precision` with the weights as they are now.
    ///
    /// - Parameter ranges: what the encoder's convolutions put out, for int8; see `RangeObserver`.
    /// - Throws: `UsageError` in float64, or where the device, the model or the processor lacks what it takes; all stays as it was.
    package func compile(_ precision: Precision, ranges: [String: ClosedRange<Float>]? = nil) throws {
        let possible = Precision.all(on: device)
        guard possible.contains(precision) else {
            throw UsageError(
                "--precision \(precision.rawValue) is not for --device \(device), which has "
                    + possible.map(\.rawValue).joined(separator: ", "))
        }
        let compilation: Compilation
        switch precision {
        case .float32, .bfloat16, .float16: compilation = .float(precision.dtype)
        case .int8:
            guard encoder.isQuantizable else {
                throw UsageError(
                    "--precision int8 is for encoders whose activations are all ReLU, and \(spec.encoder.rawValue) has others; "
                        + "use bfloat16 or float32")
            }
            let convolutions = store.entries.filter { $0.name.hasPrefix(encoderPath) && $0.tensor.shape.count == 4 }
            guard let ranges, convolutions.allSatisfy({ ranges[String($0.name.dropLast(".weight".count))] != nil }) else {
                throw UsageError(
                    "nothing is known of this model's activations, which int8 needs; `jersey calibrate` measures them and writes "
                        + "them into its file")
            }
            compilation = .int8(input: FramePreprocessor.range, outputs: ranges)
        }
        guard store.compile(compilation) else { throw precision.missing }
        store.isTraining = false
        self.precision = precision
        if device == .cuda && DeviceGraph.isAvailable { recordedPasses = RecordedPasses(laidOut: compilation.laidOut) }
    }

    /// As `compile`, where someone has asked for it. Without a compiled form in float32 it stays as it was.
    ///
    /// - Parameter card: of this model.
    /// - Throws: `UsageError` where something else than float32 cannot be had.
    package func compile(asked choice: Precision.Choice, _ card: Checkpoint.Card) throws {
        let precision = choice.precision(for: card, on: device)
        do {
            try compile(precision, ranges: card.activations)
        } catch {
            if precision != .float32 { throw error }
        }
    }

    /// - Parameters:
    ///   - frames: (R, 3, H, W) normalised frames. Valid frames only, sequence after sequence; or every sequence padded to the
    ///     longest, as the study has it, where `isPadded`.
    ///   - lengths: valid frames of each sequence.
    package func callAsFunction(_ frames: Tensor, lengths: [Int], isPadded: Bool = false) -> Output {
        if let recordedPasses, !isPadded {
            return recordedPasses(frames, lengths: lengths) { frames, layout in
                output(of: encoded(maps: maps(frames)), layout)
            }
        }
        return output(of: encoded(frames), PackedLayout(lengths: lengths, stride: isPadded ? lengths.max() : nil))
    }

    /// Where in each frame the number is, if there is one: (R, 3, H, W) normalised frames to (R, 2), across and down, from 0 to 1. Only
    /// models with tied digits look for it.
    func numberPlaces(_ frames: Tensor) -> Tensor {
        guard let tied = digits as? TiedDigits else { preconditionFailure("\(spec.name) does not look for digits") }
        return tied.numberPlaces(maps(frames))
    }

    /// The second half of the model, from the maps of all frames (R, C, h, w) on.
    func output(maps: Tensor, lengths: [Int]) -> Output { output(of: encoded(maps: maps), lengths: lengths) }

    /// As `encoded`, apart for each frame.
    func frameOutputs(_ frames: Tensor) -> [FrameOutput] {
        shared(frames) { FrameOutput.each(encoded(maps: maps($0))) }.flatMap(\.self)
    }

    /// What the model makes of each frame by itself: (R, 3, H, W) normalised frames.
    func encoded(_ frames: Tensor) -> EncodedFrames {
        let parts = shared(frames) { encoded(maps: maps($0)) }
        return parts.count == 1 ? parts[0] : .concatenated(parts)
    }

    /// Does `body` with parts of the frames, in order.
    ///
    /// So far frames have nothing to do with each other. Once the model is compiled, each thread takes some of them through all
    /// layers: no thread waits for others behind every layer, and what it works on stays near it.
    private func shared<Result>(_ frames: Tensor, _ body: (Tensor) -> Result) -> [Result] {
        let (count, size, threads) = (frames.shape[0], Array(frames.shape[2...]), Runtime.threads)
        // Threads share each operation on fewer frames.
        guard device == .cpu, store.isPure, threads > 1, 2 * count >= threads, !readyFor.insert(size).inserted else {
            return [body(frames)]
        }
        let shares = min(threads * ((count - 1) / (Self.share * threads) + 1), count)
        return Runtime.concurrentMap(shares) { index in
            body(frames.narrowed(0, to: count * index / shares..<count * (index + 1) / shares))
        }
    }

    /// What the model makes of each frame by itself, from their maps (R, C, h, w).
    func encoded(maps: Tensor) -> EncodedFrames {
        let features = encoder.pooled(maps)
        if temporal != nil { return .features(features) }
        let (tens, ones) = digits(features, maps: maps)
        return .logits(FrameLogits(tens: tens, ones: ones, full: full?(features), readability: readability?(features)))
    }

    /// The rest of the model, from its encoded frames on.
    func output(of frames: EncodedFrames, lengths: [Int]) -> Output { output(of: frames, PackedLayout(lengths: lengths)) }

    private func output(of frames: EncodedFrames, _ layout: PackedLayout) -> Output {
        device == .cpu && store.isPure ? Runtime.onCallingThread { rest(of: frames, layout) } : rest(of: frames, layout)
    }

    private func rest(of frames: EncodedFrames, _ layout: PackedLayout) -> Output {
        switch frames {
        case .features(let features):
            guard let temporal else { preconditionFailure("\(spec.name) reads frames by themselves") }
            let recurrent = temporal(features, layout)
            let (pooled, weights) = pooling(recurrent.states, final: recurrent.final, layout: layout)
            return heads(pooled, weights)
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
    func step(_ maps: Tensor, after state: Recurrent.State?) -> (Output, Recurrent.State) {
        guard let temporal else { preconditionFailure("\(spec.name) has no state") }
        let state = temporal.step(encoder.pooled(maps), after: state)
        return (heads(state.hidden, nil), state)
    }

    private func heads(_ pooled: Tensor, _ attention: Tensor?) -> Output {
        let (tens, ones) = digits(pooled, maps: nil)
        return Output(tens: tens, ones: ones, full: full?(pooled), attention: attention)
    }
}
