/// What a family decides about a model before its network is built. What it decides within the network is in its `ModelHead`.
extension ModelSpec {
    /// The part of the study that a model comes from.
    package enum Phase: String, Codable, Sendable {
        case singleFrame = "0"
        case sequence = "A"
        case attention = "B"
        /// Ours, not the study's: frames are read one by one, and what they tell is summed.
        case evidence = "E"
    }

    package var phase: Phase {
        switch family {
        case .singleFrame: .singleFrame
        case .recurrent(_, let pooling): pooling.isAttention ? .attention : .sequence
        case .evidence: .evidence
        }
    }

    /// Whether the model reads the anchor frame alone.
    package var readsAnchorOnly: Bool {
        switch family {
        case .singleFrame: true
        case .recurrent, .evidence: false
        }
    }

    /// Whether it can learn from sequences in which no number is seen.
    package var learnsFromUnreadable: Bool {
        switch family {
        case .singleFrame, .recurrent: false
        case .evidence: true
        }
    }

    /// Whether it looks for the number within a frame, and so can tell where it is (`NumberLocator`).
    package var locatesNumbers: Bool {
        switch family {
        case .singleFrame(let digits), .evidence(let digits): digits == .tied
        case .recurrent: false
        }
    }

    /// Why the study has no such model, so that nothing can be done with it as the study did; nil where it could be.
    package var notPublished: String? {
        switch family {
        case .singleFrame, .recurrent: nil
        case .evidence: "the study has nothing like \(name)"
        }
    }

    /// Rates of the study: single-frame models train at one rate, the others with a gentler one for the encoder.
    package var usesDiscriminativeRates: Bool {
        switch family {
        case .singleFrame, .evidence: false
        case .recurrent: true
        }
    }

    /// Whether batches may be padded, as the study pads them: a model of single frames has an answer for every frame, and none for
    /// padding.
    package var takesPadding: Bool { !readsAnchorOnly }

    /// Frames that it reads of a sequence of which `limit` would be shown to it.
    package func frameCount(limit: Int) -> Int { readsAnchorOnly ? 1 : limit }

    /// How the frames of a sequence are put together, in a few words.
    package var poolingName: String {
        switch family {
        case .singleFrame: "none"
        case .recurrent(_, let pooling): pooling.name
        case .evidence: "summed evidence"
        }
    }

    /// What the names of the encoder's tensors begin with. Names are the study's: its single-frame models have no "encoder" level.
    var encoderPath: String {
        switch family {
        case .singleFrame: "backbone."
        case .recurrent, .evidence: "encoder.backbone."
        }
    }
}
