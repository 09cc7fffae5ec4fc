import Torch

/// Reads a player whose frames come one by one, and can be asked at any time.
///
/// A frame is encoded once, and what is kept of the frames does not grow. Models of single frames and those that weigh frames by how well
/// they can be read sum evidence, models with a final state of one direction go on from it: for these the answer is that of all frames at
/// once. Other models see the last frames, as many as they take. One player, one thread; several streams may share a reader.
public final class FrameStream {
    private enum Memory {
        case evidence(WindowEvidence?)
        /// Log-probabilities of tens and ones, weighted and summed.
        case sum(Belief?)
        case state(Recurrent.State?, Belief?)
        /// What is kept of the last frames.
        case window([JerseyModel.Frames], Belief?)
    }

    /// Frames added so far.
    public private(set) var count = 0
    private let reader: SequenceReader
    private var memory: Memory

    public init(_ reader: SequenceReader) {
        self.reader = reader
        let spec = reader.model.spec
        memory =
            if spec.readsAnchorOnly {
                .evidence(nil)
            } else if spec.pooling == .evidence {
                .sum(nil)
            } else {
                spec.temporal?.bidirectional == false && spec.pooling == .final ? .state(nil, nil) : .window([], nil)
            }
    }

    /// Takes in one frame more, in time order, in the same time whatever came before.
    ///
    /// - Throws: `UsageError` for a picture so thin that nothing is left of it at the input size; the stream is as before.
    public func add(_ image: RGBImage) throws {
        let frame = try reader.loader.frame(image)
        evaluating {
            let model = reader.model
            let maps = model.maps(FramePreprocessor.normalized(frame, on: model.device))
            switch memory {
            case .evidence(let former):
                let look = belief(of: model.output(ofMaps: maps, lengths: [1]))
                memory = .evidence(former?.adding(look) ?? WindowEvidence(look))
            case .sum(let former):
                guard let looks = model.looks(of: model.frames(ofMaps: maps)) else { preconditionFailure("no evidence") }
                let look = FrameEvidence.each(looks)[0].belief
                memory = .sum(former?.adding(look) ?? look)
            case .state(let former, _):
                let (output, state) = model.step(maps, after: former)
                memory = .state(state, belief(of: output))
            case .window(let former, _):
                memory = .window(former.suffix(reader.loader.maximumFrames - 1) + [model.frames(ofMaps: maps)], nil)
            }
        }
        count += 1
    }

    /// What is believed after the frames so far; nil before the first, and where the model's output is not a number.
    public var belief: Belief? { evidence.map(reader.judged).flatMap { $0.isNumber ? $0 : nil } }

    private var evidence: Belief? {
        switch memory {
        case .evidence(let evidence): return evidence?.belief()
        case .sum(let sum): return sum.map { Belief(combining: [$0]) }
        case .state(_, let belief): return belief
        case .window(let frames, let known):
            if frames.isEmpty || known != nil { return known }
            let now = evaluating {
                belief(of: reader.model.output(of: .concatenated(frames), lengths: [frames.count]))
            }
            memory = .window(frames, now)
            return now
        }
    }

    private func belief(of output: JerseyModel.Output) -> Belief {
        Belief(tens: SequenceReader.rows(output.tens)[0], ones: SequenceReader.rows(output.ones)[0])
    }

    private func evaluating<Result>(_ body: () -> Result) -> Result {
        reader.model.store.evaluating { withoutGradients(body) }
    }
}
