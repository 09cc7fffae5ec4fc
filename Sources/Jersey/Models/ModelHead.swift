import Torch

/// What follows the encoder, from the maps of frames to the answer: a type for each family of models, with all that readers, training
/// and exports ask of one.
///
/// Each frame is encoded by itself, from maps (R, C, h, w) of R frames. Then the frames of every sequence are put together.
protocol ModelHead: SendableMetatype {
    typealias Output = JerseyModel.Output
    /// What is made of R frames, each by itself.
    associatedtype Frames
    /// The same of one frame, kept until its sequence is put together.
    associatedtype Frame

    /// From maps to what the encoder makes of a frame.
    var features: FrameFeatures { get }
    /// Nil where the number is not looked for within a frame.
    var locator: (any NumberLocator)? { get }
    /// The same for maps of one shape (R, C, h, w): what the shape decides is done before the first frame.
    func prepared(for maps: [Int], on device: Device) -> Self

    func encoded(_ maps: Tensor, _ pass: Pass) -> Frames
    /// - Parameter parts: in order; not empty.
    func joined(_ parts: [Frames]) -> Frames
    func each(_ frames: Frames) -> [Frame]

    /// All that comes out of the model.
    ///
    /// - Parameter layout: which of the frames are of which sequence.
    func output(of frames: Frames, _ layout: PackedLayout, _ pass: Pass) -> Output
    /// What an output says of each sequence.
    ///
    /// - Parameter lengths: valid frames of each sequence.
    func sequenceOutputs(_ output: Output, lengths: [Int]) -> [SequenceOutput]
    /// The same from the frames of each sequence, in time order; at least one each.
    func sequenceOutputs(of frames: [[Frame]], _ pass: Pass) -> [SequenceOutput]
    /// Nothing yet of a sequence whose frames come one by one.
    ///
    /// - Parameter limit: the most frames that are kept, where a model has to keep frames.
    func memory(limit: Int, _ pass: Pass) -> any FrameMemory

    /// - Parameter numbers: of each sequence; nil where none is seen, which only models that sum evidence learn from.
    func learningTargets(of frames: Frames, _ layout: PackedLayout, _ numbers: [JerseyNumber?], _ pass: Pass) -> LearningTargets
    /// What an exported network computes of each frame: a row of each tensor. It puts them together by operations of its own
    /// (`Network` in JerseyExport).
    func exported(_ frames: Frames) -> [Tensor]
}

extension ModelHead {
    var locator: (any NumberLocator)? { nil }
    func prepared(for maps: [Int], on device: Device) -> Self { self }

    func output(maps: Tensor, _ layout: PackedLayout, _ pass: Pass) -> Output {
        output(of: encoded(maps, pass), layout, pass)
    }

    func learningTargets(
        maps: Tensor, _ layout: PackedLayout, _ numbers: [JerseyNumber?], _ pass: Pass
    ) -> LearningTargets {
        learningTargets(of: encoded(maps, pass), layout, numbers, pass)
    }

    func exported(maps: Tensor) -> [Tensor] { exported(encoded(maps, .evaluation)) }
}

/// What a model keeps of the frames of a sequence that come one by one. It does not grow.
protocol FrameMemory {
    /// - Parameter maps: (1, C, h, w) of the next frame.
    mutating func add(_ maps: Tensor)
    /// What the frames so far say together; nil before the first.
    mutating func digits() -> DigitDistribution?
}

/// Finds where numbers are.
protocol NumberLocator {
    /// Where in each frame the number is, if there is one: maps (R, C, h, w) to (R, 2), across and down, from 0 to 1.
    func numberPlaces(_ maps: Tensor) -> Tensor
}

extension ModelSpec {
    /// The network behind the encoder. Parameters are born in the order in which files have them.
    ///
    /// - Parameter channels: C of the encoder's maps.
    func head(_ root: Scope, channels: Int, published: Bool) -> any ModelHead {
        let features = encoder.features(backbone(root), channels: channels)
        switch family {
        case .singleFrame(let digits):
            return SingleFrameHead(FrameReader(digits, hasFullHead: hasFullHead, features, root, channels: channels))
        case .recurrent(let layer, let pooling):
            return RecurrentHead(layer, pooling, hasFullHead: hasFullHead, features, root, published: published)
        case .evidence(let digits):
            return EvidenceHead(FrameReader(digits, hasFullHead: hasFullHead, features, root, channels: channels), root)
        }
    }

    /// Where the encoder's tensors are born, and its features'.
    func backbone(_ root: Scope) -> Scope { (root / String(encoderPath.dropLast())).part(.encoder) }
}

extension Scope {
    func part(_ part: JerseyModel.Part) -> Scope { self.part(part.rawValue) }
}
