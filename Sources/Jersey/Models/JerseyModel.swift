import Torch

/// An encoder, and behind it what the model's family has (`ModelHead`). This one learns; a `CompiledModel` of it reads.
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
    }

    package let spec: ModelSpec
    /// Whether it behaves as the study's model does where that is a defect.
    package let published: Bool
    package let device: Device
    package let store = ParameterStore()
    /// Where the encoder's names start.
    package var encoderPath: String { spec.encoderPath }

    let dtype: DType
    let encoder: FrameEncoder
    let head: any ModelHead

    /// - Parameters:
    ///   - seed: what the initial weights are drawn from.
    ///   - dtype: float64 for comparisons that rounding must not blur; frames have to be of the same type.
    package init(_ spec: ModelSpec, seed: UInt64 = 0, published: Bool = false, device: Device = .cpu, dtype: DType = .float32) {
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
    ///   - frames: (R, 3, H, W) normalised frames. Valid frames only, sequence after sequence; or every sequence padded to the
    ///     longest, as the study has it, where `isPadded`.
    ///   - lengths: valid frames of each sequence.
    package func callAsFunction(
        _ frames: Tensor, lengths: [Int], isPadded: Bool = false, _ pass: Pass = .evaluation
    ) -> Output {
        head.output(maps: maps(frames, pass), PackedLayout(lengths: lengths, isPadded: isPadded), pass)
    }

    /// What is learned from sequences whose numbers are known. Frames, lengths and padding are as where the model reads.
    ///
    /// - Parameter numbers: of each sequence; nil where none is seen, which only models that sum evidence learn from.
    package func learningTargets(
        _ frames: Tensor, lengths: [Int], isPadded: Bool, numbers: [JerseyNumber?], _ pass: Pass
    ) -> LearningTargets {
        head.learningTargets(maps: maps(frames, pass), PackedLayout(lengths: lengths, isPadded: isPadded), numbers, pass)
    }

    /// What an exported network computes of each frame by itself, as its family has it: normalised frames (R, 3, H, W) to tensors of R
    /// rows.
    package func exported(_ frames: Tensor) -> [Tensor] { head.exported(maps: maps(frames)) }
}

extension PackedLayout {
    /// - Parameter isPadded: whether there is a row for every frame of the longest sequence in each.
    convenience init(lengths: [Int], isPadded: Bool) { self.init(lengths: lengths, stride: isPadded ? lengths.max() : nil) }
}
