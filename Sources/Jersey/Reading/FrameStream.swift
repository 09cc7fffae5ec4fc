import Torch

/// Reads a player whose frames come one by one, and can be asked at any time.
///
/// A frame is encoded once, and what is kept of the frames does not grow. Models that read frames by themselves sum their evidence,
/// models with a final state of one direction go on from it: for these the answer is that of all frames at once. Other models see
/// the last frames, as many as they take. A stream is for one player and one thread; several streams may share a recognizer.
public final class FrameStream {
    /// Frames added so far.
    public private(set) var count = 0
    private let reader: SequenceReader
    private var memory: any FrameMemory

    package init(_ reader: SequenceReader) {
        self.reader = reader
        memory = reader.model.memory(limit: reader.loader.maximumFrames)
    }

    /// Takes one more frame, in time order; it takes the same time however many came before.
    ///
    /// - Throws: `UsageError` for a picture so thin that nothing is left of it at the input size; the stream is as before.
    public func add(_ image: RGBImage) throws {
        let frame = try reader.loader.frame(image)
        withoutGradients {
            memory.add(reader.model.maps(FramePreprocessor.normalized(frame, on: reader.model.device)))
        }
        count += 1
    }

    /// What is known after the frames so far, calibrated where the model is; nil before the first frame, and where the model's
    /// output is not a number.
    public var digits: DigitDistribution? {
        let digits = withoutGradients { reader.model.together { memory.digits() } }
        return digits.map(reader.calibrated).flatMap { $0.isFinite ? $0 : nil }
    }
}
