/// Properties that depend on a model's family before its network is built. Those of the network are
/// in its `ModelHead`.
extension ModelSpec {
    /// The part of the study that a model comes from.
    package enum Phase: String, Codable, Sendable {
        case singleFrame = "0"
        case sequence = "A"
        case attention = "B"
        /// Ours, not the study's: frames are read one by one, and what they say is averaged.
        case evidence = "E"
    }

    package var phase: Phase {
        switch family {
        case .singleFrame: .singleFrame
        case .recurrent(_, let pooling): pooling.isAttention ? .attention : .sequence
        case .evidence: .evidence
        }
    }

    /// Whether the model reads only the anchor frame.
    package var readsAnchorOnly: Bool {
        switch family {
        case .singleFrame: true
        case .recurrent, .evidence: false
        }
    }

    /// Whether it can learn from sequences without a visible number.
    package var learnsFromUnreadable: Bool {
        switch family {
        case .singleFrame, .recurrent: false
        case .evidence: true
        }
    }

    /// Whether it judges how well it reads each frame (`Looks`).
    package var judgesFrames: Bool { phase == .evidence }

    /// Why the study has no such model, so that it cannot behave as published; nil if it can.
    package var notPublished: String? {
        switch family {
        case .singleFrame, .recurrent: nil
        case .evidence: "the study has nothing like \(name)"
        }
    }

    /// The study trains single-frame models with one learning rate, and the others with a lower
    /// rate for the encoder.
    package var usesDiscriminativeRates: Bool {
        switch family {
        case .singleFrame, .evidence: false
        case .recurrent: true
        }
    }

    /// Whether batches may be padded, as in the study. A single-frame model has an answer for every
    /// frame and none for padding.
    package var takesPadding: Bool { !readsAnchorOnly }

    /// The number of frames that it reads of a sequence, if at most `limit` are shown to it.
    package func frameCount(limit: Int) -> Int { readsAnchorOnly ? 1 : limit }

    /// How the frames of a sequence are combined, in a few words.
    package var poolingName: String {
        switch family {
        case .singleFrame: "none"
        case .recurrent(_, let pooling): pooling.name
        case .evidence: "weighted mean"
        }
    }

    /// The prefix of the names of the encoder's tensors. Names are the study's: its single-frame
    /// models have no "encoder" level.
    var encoderPath: String {
        switch family {
        case .singleFrame: "backbone."
        case .recurrent, .evidence: "encoder.backbone."
        }
    }
}
