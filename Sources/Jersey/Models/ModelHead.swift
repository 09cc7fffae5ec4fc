import Torch

/// The part of a model after the encoder, from the maps of frames to the answer. Each family of
/// models has one type, with all that reading, training and export need.
///
/// Each frame is encoded by itself, from maps (R, C, h, w) of R frames. Then the frames of every
/// sequence are combined.
protocol ModelHead: SendableMetatype {
    typealias Output = JerseyModel.Output
    /// The encoding of R frames, each by itself.
    associatedtype Frames
    /// The encoding of one frame, kept until its sequence is combined.
    associatedtype Frame

    /// From the maps to the encoder's features.
    var features: FrameFeatures { get }
    /// The same for maps of one shape (R, C, h, w), with everything that depends on the shape
    /// computed in advance.
    func prepared(for maps: [Int], on device: Device) -> Self

    func encoded(_ maps: Tensor, _ pass: Pass) -> Frames
    /// - Parameter parts: in order; not empty.
    func joined(_ parts: [Frames]) -> Frames
    func each(_ frames: Frames) -> [Frame]

    /// The output of the model.
    ///
    /// - Parameter layout: assigns the frames to sequences.
    func output(of frames: Frames, _ layout: PackedLayout, _ pass: Pass) -> Output
    /// An output split into sequences.
    ///
    /// - Parameter lengths: valid frames of each sequence.
    func sequenceOutputs(_ output: Output, lengths: [Int]) -> [SequenceOutput]
    /// The outputs of sequences from the frames of each, in time order, at least one each.
    func sequenceOutputs(of frames: [[Frame]], _ pass: Pass) -> [SequenceOutput]
    /// An empty memory for a sequence whose frames come one by one.
    ///
    /// - Parameter limit: the most frames to keep, for models that have to keep frames.
    func memory(limit: Int, _ pass: Pass) -> any FrameMemory

    /// - Parameter numbers: of each sequence; nil if none is visible, which only evidence models
    ///   learn from.
    func learningTargets(of frames: Frames, _ layout: PackedLayout, _ numbers: [JerseyNumber?], _ pass: Pass)
        -> LearningTargets
    /// What an exported network computes for each frame: one row of each tensor. The network
    /// combines them with operations of its own (`Network` in JerseyExport).
    func exported(_ frames: Frames) -> [Tensor]
}

extension ModelHead {
    func prepared(for maps: [Int], on device: Device) -> Self { self }

    func output(maps: Tensor, _ layout: PackedLayout, _ pass: Pass) -> Output {
        output(of: encoded(maps, pass), layout, pass)
    }

    /// Each sequence learns as a whole.
    func learningTargets(
        of frames: Frames, _ layout: PackedLayout, _ numbers: [JerseyNumber?], _ pass: Pass
    ) -> LearningTargets {
        LearningTargets(output(of: frames, layout, pass), numbers)
    }

    func learningTargets(
        maps: Tensor, _ layout: PackedLayout, _ numbers: [JerseyNumber?], _ pass: Pass
    ) -> LearningTargets {
        learningTargets(of: encoded(maps, pass), layout, numbers, pass)
    }

    func exported(maps: Tensor) -> [Tensor] { exported(encoded(maps, .evaluation)) }
}

/// What a model keeps of a sequence whose frames come one by one. It does not grow without bound.
protocol FrameMemory {
    /// - Parameter maps: (1, C, h, w) of the next frame.
    mutating func add(_ maps: Tensor)
    /// The output for the frames so far; nil before the first.
    mutating func output() -> SequenceOutput?
}

extension ModelSpec {
    /// The network after the encoder. Parameters are created in the order in which files have them.
    ///
    /// - Parameter channels: C of the encoder's maps.
    func head(_ root: Scope, channels: Int, published: Bool) -> any ModelHead {
        let features = encoder.features(backbone(root), channels: channels)
        switch family {
        case .singleFrame(let digits):
            return SingleFrameHead(
                FrameReader(digits, hasFullHead: hasFullHead, features, root, channels: channels))
        case .recurrent(let layer, let pooling):
            return RecurrentHead(
                layer, pooling, hasFullHead: hasFullHead, features, root, published: published)
        case .evidence(let digits):
            return EvidenceHead(
                FrameReader(digits, hasFullHead: hasFullHead, features, root, channels: channels), root)
        }
    }

    /// The scope of the encoder's tensors and its features.
    func backbone(_ root: Scope) -> Scope { (root / String(encoderPath.dropLast())).part(.encoder) }
}

extension Scope {
    func part(_ part: JerseyModel.Part) -> Scope { self.part(part.rawValue) }
}
