import Torch

/// A model that only reads, with the weights that it was made with: immutable, and good for any number of threads.
package struct CompiledModel: Sendable {
    package let spec: ModelSpec
    /// Whether it behaves as the study's model does where that is a defect.
    package let published: Bool
    package let device: Device
    /// What the encoder computes in.
    package let precision: Precision
    package let parameterCount: Int

    private let dtype: DType
    private let encoder: any Layer & Sendable
    private let frozenHead: Frozen<any ModelHead>
    /// Whether threads share frames; else they share each operation.
    private let sharesFrames: Bool
    /// Nil but on a GPU.
    private let recordedPasses: RecordedPasses?
    private var pass = Pass.evaluation

    /// Frames that a thread takes at once, at most: with fewer each operation's start weighs more, with more their maps leave the cache.
    private static let share = 32

    /// The same model, whose passes are watched.
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
        // What follows the maps is little work, and stays as exact as it was.
        encoder(frames, pass).dequantized().to(dtype: dtype)
    }

    /// - Parameters:
    ///   - frames: (R, 3, H, W) normalised frames. Valid frames only, sequence after sequence; or every sequence padded to the
    ///     longest, as the study has it, where `isPadded`.
    ///   - lengths: valid frames of each sequence.
    package func callAsFunction(_ frames: Tensor, lengths: [Int], isPadded: Bool = false) -> JerseyModel.Output {
        if let recordedPasses, recordedPasses.size == Array(frames.shape[2...]), !isPadded, !pass.isWatched {
            return recordedPasses(frames, lengths: lengths) { frames, layout in output(maps: maps(frames), layout) }
        }
        return output(frames, PackedLayout(lengths: lengths, isPadded: isPadded), by: head)
    }

    private func output(_ frames: Tensor, _ layout: PackedLayout, by head: some ModelHead) -> JerseyModel.Output {
        let frames = encoded(frames, by: head)
        return together { head.output(of: frames, layout, pass) }
    }

    /// The second half of the model, from the maps of all frames (R, C, h, w) on.
    func output(maps: Tensor, lengths: [Int]) -> JerseyModel.Output { output(maps: maps, PackedLayout(lengths: lengths)) }

    private func output(maps: Tensor, _ layout: PackedLayout) -> JerseyModel.Output {
        together { head.output(maps: maps, layout, pass) }
    }

    // MARK: Frames, and what they come to

    /// What follows the encoder. Who keeps what it makes of frames asks it what they come to.
    var head: any ModelHead { frozenHead.value }

    /// What the model makes of each frame by itself: (R, 3, H, W) normalised frames.
    ///
    /// - Parameter head: this model's.
    func encoded<Head: ModelHead>(_ frames: Tensor, by head: Head) -> Head.Frames {
        let head = Frozen(head)
        let parts = shared(frames) { head.value.encoded(maps($0), pass) }
        return parts.count == 1 ? parts[0] : head.value.joined(parts)
    }

    /// As `encoded`, apart for each frame.
    func eachEncoded<Head: ModelHead>(_ frames: Tensor, by head: Head) -> [Head.Frame] {
        let head = Frozen(head)
        return shared(frames) { head.value.each(head.value.encoded(maps($0), pass)) }.flatMap(\.self)
    }

    /// What the frames of each sequence, in time order, say together.
    ///
    /// - Parameter head: this model's, which has encoded them.
    func sequenceOutputs<Head: ModelHead>(of frames: [[Head.Frame]], by head: Head) -> [SequenceOutput] {
        together { head.sequenceOutputs(of: frames, pass) }
    }

    /// What an output says of each sequence.
    func sequenceOutputs(_ output: JerseyModel.Output, lengths: [Int]) -> [SequenceOutput] {
        head.sequenceOutputs(output, lengths: lengths)
    }

    /// Nothing yet of a sequence whose frames come one by one.
    ///
    /// - Parameter limit: the most frames that are kept, where the model has to keep frames.
    func memory(limit: Int) -> any FrameMemory { head.memory(limit: limit, pass) }

    /// Where in each frame the number is, if there is one: (R, 3, H, W) normalised frames to (R, 2), across and down, from 0 to 1. Nil
    /// where the model does not look for it.
    var numberPlaces: (@Sendable (Tensor) -> Tensor)? {
        head.locator.map { locator in
            let locator = Frozen(locator)
            return { locator.value.numberPlaces(maps($0)) }
        }
    }

    /// Does `body` with parts of the frames, in order.
    ///
    /// So far frames have nothing to do with each other. Each thread takes some of them through all layers: no thread
    /// waits for others behind every layer, and what it works on stays near it.
    private func shared<Result>(_ frames: Tensor, _ body: @Sendable (Tensor) -> Result) -> [Result] {
        let (count, threads) = (frames.shape[0], Runtime.threads)
        // Threads share each operation on fewer frames.
        guard sharesFrames, !pass.isWatched, threads > 1, 2 * count >= threads else { return [body(frames)] }
        let shares = min(threads * ((count - 1) / (Self.share * threads) + 1), count)
        let all = Frozen(frames)
        return Runtime.concurrentMap(shares) { index in
            body(all.value.narrowed(0, to: count * index / shares..<count * (index + 1) / shares))
        }
    }

    /// Does `body`, in which frames have to do with each other: it is little work.
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
    /// A copy that only reads, by the very operations of training, with the weights as they are now.
    package func frozen() -> CompiledModel {
        let root = Scope(freezing: store, device: device, dtype: dtype)
        let encoder = Frozen(spec.encoder.encoder(spec.backbone(root)))
        return CompiledModel(self, .float32, encoder, frozenHead(root), sharesFrames: false)
    }

    private func frozenHead(_ root: Scope) -> any ModelHead {
        spec.head(root, channels: encoder.channels, published: published)
    }

    /// A copy that only reads, faster: its encoder computes in `precision`, folded, fused and packed, with the weights
    /// as they are now. In float32 it is the frozen one where nothing faster is to be had.
    ///
    /// - Parameters:
    ///   - frames: (N, 3, H, W), the shape of what a pass will be given, as a rule. Layouts are chosen for it; frames of
    ///     another size are read as well, perhaps slower.
    ///   - ranges: what the encoder's convolutions put out, for int8; see `RangeObserver`.
    /// - Throws: `UsageError` in float64, or where the device, the model or the processor lacks what it takes.
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
        let head = frozenHead(Scope(freezing: store, device: device, dtype: dtype)).prepared(for: x.shape, on: device)
        let records = device == .cuda && DeviceGraph.isAvailable
        return CompiledModel(
            self, precision, encoder, head, sharesFrames: device == .cpu,
            recordedPasses: records ? RecordedPasses(size: Array(frames[2...])) { compiler.laidOut($0) } : nil)
    }

    /// The same for what `card` says of this model.
    ///
    /// - Throws: `UsageError` where something else than float32 cannot be had.
    package func compiled(asked choice: Precision.Choice, _ card: Checkpoint.Card) throws -> CompiledModel {
        let precision = choice.precision(for: card, on: device)
        return try compiled(precision, for: card.framesOfPass, ranges: card.activations)
    }

    private func compiler(_ precision: Precision, _ ranges: [String: ClosedRange<Float>]?) throws -> Compiler {
        let possible = Precision.all(on: device)
        guard possible.contains(precision) else {
            throw UsageError(
                "\(precision.rawValue) is no precision of the device \(device), which has "
                    + possible.map(\.rawValue).joined(separator: ", "), remedy: .precision)
        }
        guard dtype == .float32 else { throw UsageError("a model in \(dtype) is not compiled; only one in float32 is") }
        guard precision == .int8 else { return .float(precision.dtype) }
        guard encoder.isQuantizable else {
            throw UsageError(
                "int8 is for encoders whose activations are all ReLU, and \(spec.encoder.rawValue) has others; "
                    + "use bfloat16 or float32", remedy: .precision)
        }
        let convolutions = store.entries.filter { $0.name.hasPrefix(encoderPath) && $0.tensor.shape.count == 4 }
        guard let ranges, convolutions.allSatisfy({ ranges[String($0.name.dropLast(".weight".count))] != nil }) else {
            throw UsageError(
                "nothing is known of this model's activations, which int8 needs; calibration measures them and writes them "
                    + "into its file", remedy: .calibration)
        }
        return .int8(input: FramePreprocessor.range, outputs: ranges)
    }
}

extension Checkpoint.Card {
    /// (N, 3, H, W) of the frames that the model is given at once, as a rule.
    package var framesOfPass: [Int] { [spec.frameCount(limit: input.maximumFrames), 3, input.height, input.width] }
}
