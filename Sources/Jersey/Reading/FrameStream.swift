import Torch

/// Reads a player whose frames come one by one, and answers at any time.
///
/// A frame is encoded once, and memory does not grow with the number of frames. Evidence models add
/// up what frames say, and recurrent models of one direction that read from their last state
/// continue from it. For these two the answer is that of all frames at once. Other models see the
/// last frames, as many as they take. A stream is for one player and one thread. Several streams
/// may share a recognizer.
public final class FrameStream {
    /// How many frames were added so far.
    public private(set) var count = 0
    private let reader: SequenceReader
    private var memory: any FrameMemory

    package init(_ reader: SequenceReader) {
        self.reader = reader
        memory = reader.model.memory(limit: reader.loader.maximumFrames)
    }

    /// Adds one more frame. The time that it takes does not depend on how many came before.
    ///
    /// - Parameter image: the next frame in time order, of any size.
    /// - Throws: `UsageError` for an image so thin that nothing is left of it at the model's input
    ///   size. The stream is then unchanged.
    public func add(_ image: RGBImage) throws {
        let frame = try reader.loader.frame(image)
        withoutGradients {
            memory.add(reader.model.maps(FramePreprocessor.normalized(frame, on: reader.model.device)))
        }
        count += 1
    }

    /// What the frames so far say, calibrated where the model is. Nil before the first frame, and
    /// where the model's output is not finite.
    public var digits: DigitDistribution? {
        let output = withoutGradients { reader.model.together { memory.output() } }
        return output.map(reader.calibrated).flatMap { $0.isFinite ? $0 : nil }
    }
}
