import Torch

/// An encoder followed by the head of the model's family (`ModelHead`). This type is for training;
/// `CompiledModel` is for inference.
package final class JerseyModel {
    /// The parts of a model, which learning rates and freezing refer to.
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
        /// (B, T) weights of the frames, zero on padding; nil if the pooling has none.
        package let attention: Tensor?
        /// (R, C), what each frame says by itself; nil if the model does not judge frames.
        var frames: Tensor?
    }

    package let spec: ModelSpec
    /// Whether it reproduces the defects of the study's model.
    package let published: Bool
    package let device: Device
    package let store = ParameterStore()
    /// The prefix of the names of the encoder's tensors.
    package var encoderPath: String { spec.encoderPath }

    let dtype: DType
    let encoder: FrameEncoder
    let head: any ModelHead

    /// - Parameters:
    ///   - seed: for the initial weights.
    ///   - dtype: float64 is for comparisons without rounding errors. Frames must have the same
    ///     type.
    package init(
        _ spec: ModelSpec, seed: UInt64 = 0, published: Bool = false, device: Device = .cpu,
        dtype: DType = .float32
    ) {
        self.spec = spec
        self.published = published
        self.device = device
        self.dtype = dtype
        let root = Scope(store, device: device, seed: seed, dtype: dtype)
        encoder = spec.encoder.encoder(spec.backbone(root))
        head = spec.head(root, channels: encoder.channels, published: published)
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
    ///   - frames: (R, 3, H, W) normalised frames: the valid frames of one sequence after the
    ///     other, or with `isPadded` every sequence padded to the longest, as in the study.
    ///   - lengths: valid frames of each sequence.
    package func callAsFunction(
        _ frames: Tensor, lengths: [Int], isPadded: Bool = false, _ pass: Pass = .evaluation
    ) -> Output {
        head.output(maps: maps(frames, pass), PackedLayout(lengths: lengths, isPadded: isPadded), pass)
    }

    /// The learning targets of sequences. Frames, lengths and padding are as for reading.
    ///
    /// - Parameter numbers: of each sequence; nil if none is visible, which only evidence models
    ///   learn from.
    package func learningTargets(
        _ frames: Tensor, lengths: [Int], isPadded: Bool, numbers: [JerseyNumber?], _ pass: Pass
    ) -> LearningTargets {
        head.learningTargets(
            maps: maps(frames, pass), PackedLayout(lengths: lengths, isPadded: isPadded), numbers, pass)
    }

    /// What an exported network computes for each frame by itself, depending on its family:
    /// normalised frames (R, 3, H, W) to tensors of R rows.
    package func exported(_ frames: Tensor) -> [Tensor] { head.exported(maps: maps(frames)) }
}

extension PackedLayout {
    /// - Parameter isPadded: whether every sequence has as many rows as the longest.
    convenience init(lengths: [Int], isPadded: Bool) {
        self.init(lengths: lengths, stride: isPadded ? lengths.max() : nil)
    }
}
