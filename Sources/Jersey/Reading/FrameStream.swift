import Torch

/// Reads a player whose frames come one by one, and answers at any time.
///
/// A frame is encoded once, and memory does not grow with the number of frames. Evidence models add up what frames
/// say, and recurrent models of one direction that read from their last state continue from it. For these two the
/// answer is that of all frames at once. Other models see the last frames, as many as they take. A stream is for
/// one player and one thread. Several streams may share a recognizer.
public final class FrameStream {
    private enum Memory {
        case evidence(Evidence?)
        case state(Recurrent.State?, DigitDistribution?)
        /// The last frames, and what they say together once that was asked.
        case window([Tensor], DigitDistribution?)
    }

    /// How many frames were added so far.
    public private(set) var count = 0
    private let reader: SequenceReader
    private var memory: Memory

    package init(_ reader: SequenceReader) {
        self.reader = reader
        let spec = reader.model.spec
        memory =
            if let temporal = spec.temporal {
                !temporal.bidirectional && spec.pooling == .final ? .state(nil, nil) : .window([], nil)
            } else {
                .evidence(nil)
            }
    }

    /// Adds one more frame. The time that it takes does not depend on how many came before.
    ///
    /// - Parameter image: the next frame in time order, of any size.
    /// - Throws: `UsageError` for an image so thin that nothing is left of it at the model's input size. The stream is then
    ///   unchanged.
    public func add(_ image: RGBImage) throws {
        let frame = try reader.loader.frame(image)
        withoutGradients {
            let model = reader.model
            let pixels = FramePreprocessor.normalized(frame, on: model.device)
            switch memory {
            case .state(let former, _):
                let (output, state) = model.step(model.maps(pixels), after: former)
                memory = .state(state, Self.digits(of: output))
            case .evidence(var sum):
                for case .evidence(let look) in model.frameOutputs(pixels) { sum.add(look) }
                memory = .evidence(sum)
            case .window(let former, _):
                let features = model.frameOutputs(pixels).compactMap(\.features)
                memory = .window(former.suffix(reader.loader.maximumFrames - 1) + features, nil)
            }
        }
        count += 1
    }

    /// What the frames so far say, calibrated where the model is. Nil before the first frame, and where the model's
    /// output is not finite.
    public var digits: DigitDistribution? { raw.map(reader.calibrated).flatMap { $0.isFinite ? $0 : nil } }

    private var raw: DigitDistribution? {
        switch memory {
        case .evidence(let sum): return sum?.distribution(correlation: reader.model.spec.frameCorrelation)
        case .state(_, let digits): return digits
        case .window(let frames, let known):
            if frames.isEmpty || known != nil { return known }
            let now = withoutGradients {
                let features = EncodedFrames.features(.concatenated(frames, over: 0))
                return Self.digits(of: reader.model.output(of: features, lengths: [frames.count]))
            }
            memory = .window(frames, now)
            return now
        }
    }

    private static func digits(of output: JerseyModel.Output) -> DigitDistribution {
        DigitDistribution.each(tens: output.tens, ones: output.ones)[0]
    }
}
