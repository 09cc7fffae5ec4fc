import Torch

/// A model for inference, with the weights that it was built from. It is immutable, and any number
/// of threads can use it.
package struct CompiledModel: Sendable {
    package let spec: ModelSpec
    /// Whether it reproduces the defects of the study's model.
    package let published: Bool
    package let device: Device
    /// The encoder's precision.
    package let precision: Precision
    package let parameterCount: Int

    private let dtype: DType
    private let encoder: any Layer & Sendable
    private let frozenHead: Frozen<any ModelHead>
    /// Whether threads divide the frames among them; otherwise they divide each operation.
    private let sharesFrames: Bool
    /// Nil except on a GPU.
    private let recordedPasses: RecordedPasses?
    private var pass = Pass.evaluation

    /// The most frames that a thread takes at once. With fewer, starting operations costs more;
    /// with more, the maps do not fit into the cache.
    private static let share = 32

    /// The same model, with its passes observed by `pass`.
    package func watched(by pass: Pass) -> CompiledModel {
        precondition(!pass.isTraining, "a compiled model does not learn")
        var model = self
        model.pass = pass
        return model
    }

    /// The encoder alone: (N, 3, H, W) normalised frames to (N, F).
    package func encode(_ frames: Tensor) -> Tensor { head.features(maps(frames), pass) }

    /// The encoder's last feature maps: (N, 3, H, W) normalised frames to (N, C, h, w).
    package func maps(_ frames: Tensor) -> Tensor {
        // The layers after the maps are little work, so they stay in the full precision.
        encoder(frames, pass).dequantized().to(dtype: dtype)
    }

    /// - Parameters:
    ///   - frames: (R, 3, H, W) normalised frames: the valid frames of one sequence after the
    ///     other, or with `isPadded` every sequence padded to the longest, as in the study.
    ///   - lengths: valid frames of each sequence.
    package func callAsFunction(_ frames: Tensor, lengths: [Int], isPadded: Bool = false)
        -> JerseyModel.Output
    {
        if let recordedPasses, recordedPasses.size == Array(frames.shape[2...]), !isPadded, !pass.isWatched {
            return recordedPasses(frames, lengths: lengths) { frames, layout in
                output(maps: maps(frames), layout)
            }
        }
        return output(frames, PackedLayout(lengths: lengths, isPadded: isPadded), by: head)
    }

    private func output(_ frames: Tensor, _ layout: PackedLayout, by head: some ModelHead)
        -> JerseyModel.Output
    {
        let frames = encoded(frames, by: head)
        return together { head.output(of: frames, layout, pass) }
    }

    /// The second half of the model, from the maps of all frames (R, C, h, w).
    func output(maps: Tensor, lengths: [Int]) -> JerseyModel.Output {
        output(maps: maps, PackedLayout(lengths: lengths))
    }

    private func output(maps: Tensor, _ layout: PackedLayout) -> JerseyModel.Output {
        together { head.output(maps: maps, layout, pass) }
    }

    // MARK: Frames, and their outputs

    /// The part after the encoder. Callers that keep encoded frames pass them to its functions.
    var head: any ModelHead { frozenHead.value }

    /// Encodes each frame by itself: (R, 3, H, W) normalised frames.
    ///
    /// - Parameter head: the head of this model.
    func encoded<Head: ModelHead>(_ frames: Tensor, by head: Head) -> Head.Frames {
        let head = Frozen(head)
        let parts = shared(frames) { head.value.encoded(maps($0), pass) }
        return parts.count == 1 ? parts[0] : head.value.joined(parts)
    }

    /// The same as `encoded`, as one value for each frame.
    func eachEncoded<Head: ModelHead>(_ frames: Tensor, by head: Head) -> [Head.Frame] {
        let head = Frozen(head)
        return shared(frames) { head.value.each(head.value.encoded(maps($0), pass)) }.flatMap(\.self)
    }

    /// The outputs of sequences, from the frames of each in time order.
    ///
    /// - Parameter head: the head of this model, which has encoded the frames.
    func sequenceOutputs<Head: ModelHead>(of frames: [[Head.Frame]], by head: Head) -> [SequenceOutput] {
        together { head.sequenceOutputs(of: frames, pass) }
    }

    /// An output split into sequences.
    func sequenceOutputs(_ output: JerseyModel.Output, lengths: [Int]) -> [SequenceOutput] {
        head.sequenceOutputs(output, lengths: lengths)
    }

    /// An empty memory for a sequence whose frames come one by one.
    ///
    /// - Parameter limit: the most frames to keep, for models that have to keep frames.
    func memory(limit: Int) -> any FrameMemory { head.memory(limit: limit, pass) }

    /// Runs `body` on parts of the frames, and returns the results in order.
    ///
    /// Up to here frames are independent. Each thread takes some of them through all layers, so no
    /// thread waits for others after a layer, and its data stays in its cache.
    private func shared<Result>(_ frames: Tensor, _ body: @Sendable (Tensor) -> Result) -> [Result] {
        let (count, threads) = (frames.shape[0], Runtime.threads)
        // With fewer frames, threads divide each operation.
        guard sharesFrames, !pass.isWatched, threads > 1, 2 * count >= threads else { return [body(frames)] }
        let shares = min(threads * ((count - 1) / (Self.share * threads) + 1), count)
        let all = Frozen(frames)
        return Runtime.concurrentMap(shares) { index in
            body(all.value.narrowed(0, to: count * index / shares..<count * (index + 1) / shares))
        }
    }

    /// Runs `body`, in which frames depend on each other. It is little work.
    func together<Result>(_ body: () -> Result) -> Result {
        sharesFrames && !pass.isWatched ? Runtime.onCallingThread(body) : body()
    }
}

extension CompiledModel {
    fileprivate init(
        _ model: JerseyModel, _ precision: Precision, _ encoder: any Layer & Sendable, _ head: any ModelHead,
        sharesFrames: Bool, recordedPasses: RecordedPasses? = nil
    ) {
        spec = model.spec
        published = model.published
        device = model.device
        dtype = model.dtype
        parameterCount = model.store.parameterCount
        self.precision = precision
        self.encoder = encoder
        frozenHead = Frozen(head)
        self.sharesFrames = sharesFrames
        self.recordedPasses = recordedPasses
    }
}

extension JerseyModel {
    /// A copy for inference, with the same operations as in training and the current weights.
    package func frozen() -> CompiledModel {
        let root = Scope(freezing: store, device: device, dtype: dtype)
        let encoder = Frozen(spec.encoder.encoder(spec.backbone(root)))
        return CompiledModel(self, .float32, encoder, frozenHead(root), sharesFrames: false)
    }

    private func frozenHead(_ root: Scope) -> any ModelHead {
        spec.head(root, channels: encoder.channels, published: published)
    }

    /// A faster copy for inference, with the current weights. Its encoder computes in `precision`,
    /// folded, fused and packed. In float32 it is the frozen copy if nothing faster is available.
    ///
    /// - Parameters:
    ///   - frames: (N, 3, H, W), the usual shape of a pass. Layouts are chosen for it. Frames of
    ///     another size can be read, perhaps more slowly.
    ///   - ranges: output ranges of the encoder's convolutions, for int8; see `RangeObserver`.
    /// - Throws: `UsageError` in float64, or if the device, the model or the processor does not
    ///   support the precision.
    package func compiled(
        _ precision: Precision, for frames: [Int], ranges: [String: ClosedRange<Float>]? = nil
    ) throws -> CompiledModel {
        let compiler = try compiler(precision, ranges)
        guard compiler.isSupported(on: device) else {
            if precision == .float32 { return frozen() }
            throw precision.missing
        }
        var x = TensorSpec(shape: frames)
        let encoder = encoder.compiled(by: compiler, for: &x)
        let head = frozenHead(Scope(freezing: store, device: device, dtype: dtype)).prepared(
            for: x.shape, on: device)
        let records = device == .cuda && DeviceGraph.isAvailable
        return CompiledModel(
            self, precision, encoder, head, sharesFrames: device == .cpu,
            recordedPasses: records ? RecordedPasses(size: Array(frames[2...])) { compiler.laidOut($0) } : nil
        )
    }

    /// The same in the precision that `choice` selects for `card`, with the card's frames and
    /// ranges.
    ///
    /// - Throws: `UsageError` if a precision other than float32 is not available.
    package func compiled(asked choice: Precision.Choice, _ card: Checkpoint.Card) throws -> CompiledModel {
        let precision = choice.precision(for: card, on: device)
        return try compiled(precision, for: card.framesOfPass, ranges: card.activations)
    }

    private func compiler(_ precision: Precision, _ ranges: [String: ClosedRange<Float>]?) throws -> Compiler
    {
        let possible = Precision.all(on: device)
        guard possible.contains(precision) else {
            throw UsageError(
                "\(precision.rawValue) is not available on \(device); use one of "
                    + possible.map(\.rawValue).joined(separator: ", "), remedy: .precision)
        }
        guard dtype == .float32 else {
            throw UsageError("a model in \(dtype) cannot be compiled, only one in float32")
        }
        guard precision == .int8 else { return .float(precision.dtype) }
        guard encoder.isQuantizable else {
            throw UsageError(
                "int8 needs an encoder with only ReLU activations, and \(spec.encoder.rawValue) has others; "
                    + "use bfloat16 or float32", remedy: .precision)
        }
        let convolutions = store.entries.filter {
            $0.name.hasPrefix(encoderPath) && $0.tensor.shape.count == 4
        }
        guard let ranges,
            convolutions.allSatisfy({ ranges[String($0.name.dropLast(".weight".count))] != nil })
        else {
            throw UsageError(
                "int8 needs the ranges of this model's activations, which have not been measured; "
                    + "calibration measures them and writes them into its file", remedy: .calibration)
        }
        return .int8(input: FramePreprocessor.range, outputs: ranges)
    }
}

extension Checkpoint.Card {
    /// (N, 3, H, W), the usual shape of a pass.
    package var framesOfPass: [Int] {
        [spec.frameCount(limit: input.maximumFrames), 3, input.height, input.width]
    }
}
