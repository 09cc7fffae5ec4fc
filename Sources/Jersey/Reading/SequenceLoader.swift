import Foundation
import Torch

/// A frame that was left out, and why.
public struct FrameProblem: Sendable, Equatable, Codable {
    /// The path of the frame, or its name where it was in memory or in a video.
    public let path: String
    /// What is wrong with it and what to do, to follow the path.
    public let reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }
}

/// The frames of one sequence, ready for a batch. Plain memory, so that it can cross threads.
package struct LoadedSequence: Sendable {
    /// (T, H, W, 3) uint8.
    let frames: ByteBuffer
    /// Indices of the frames that were read, in the order of reading.
    let used: [Int]
    /// Heights of the frames read, pixels, before they were fitted.
    let heights: [Int]
    let problems: [FrameProblem]
}

/// Reads, fits and augments the frames of one sequence. A pure function of its arguments, whatever thread runs it.
package struct SequenceLoader: Sendable {
    /// Which frames a model reads that takes one frame only.
    package enum SingleFrame: Sendable {
        /// The anchor; the first frame where none is marked, as in the study.
        case anchor
        /// The anchor; all frames where none is marked.
        case anchorOrAll
    }

    package var preprocessor: FramePreprocessor
    package var maximumFrames: Int
    package var sampling: FrameSampling
    package var order = FrameOrder.time
    package var wholePlayers = WholePlayers.whole
    /// Without it, torsos stand for `WholePlayers.number`.
    var finder: (any NumberFinding)?
    /// Nil for a model that reads sequences.
    package var singleFrame: SingleFrame?
    /// What training does to the fitted frames of a sequence: a change of a picture (1, 3, h, w) of levels 0...255 for each of
    /// `count` frames.
    package var augment: (@Sendable (_ count: Int, _ random: inout RandomStream) -> [(Tensor) -> Tensor])?
    package var cache: FrameCache?
    /// An unreadable frame is an error instead of being left out.
    package var strict = false

    package init(preprocessor: FramePreprocessor, maximumFrames: Int, sampling: FrameSampling, singleFrame: SingleFrame? = nil) {
        self.preprocessor = preprocessor
        self.maximumFrames = maximumFrames
        self.sampling = sampling
        self.singleFrame = singleFrame
    }

    /// As frames are prepared for a model with this input.
    ///
    /// - Parameters:
    ///   - published: whether they are fitted, ordered and sampled as in the study.
    ///   - singleFrame: what a model of single frames reads.
    package init(_ input: InputSpec, for spec: ModelSpec, published: Bool, singleFrame: SingleFrame) {
        preprocessor = FramePreprocessor(height: input.height, width: input.width, truncates: published)
        maximumFrames = input.maximumFrames
        sampling = published ? .published(anchorFirst: true) : .even
        order = FrameOrder(published: published)
        wholePlayers = input.wholePlayers
        self.singleFrame = spec.readsAnchorOnly ? singleFrame : nil
    }

    /// As a model with this card is read, but for the finding of numbers (`finder`), which takes its weights.
    ///
    /// - Parameter singleFrame: what a model of single frames reads.
    package init(_ card: Checkpoint.Card, singleFrame: SingleFrame) {
        self.init(card.input, for: card.spec, published: card.published, singleFrame: singleFrame)
    }

    /// A sequence as it is read in full: itself, or windows of it where it is longer than what the model takes.
    ///
    /// - Parameter stride: of a long sequence, every how-manieth frame is looked at.
    package func windows(of sequence: FrameSequence, stride: Int = TrackWindows.usualStride) -> [FrameSequence] {
        // A single frame that is marked says which is to be read.
        if sequence.anchor != nil && singleFrame != nil { return [sequence] }
        return sequence.windows(size: maximumFrames, stride: stride)
    }

    /// The frames of a sequence as they are read, without augmentation, on the calling thread.
    ///
    /// - Throws: `ImageError` where `strict`; `FileError` when not the frame is bad, but its folder is gone.
    package func load(_ sequence: FrameSequence) throws -> LoadedSequence {
        try withoutGradients { try load(sequence, random: RandomStream(0)) }
    }

    /// - Parameter random: what the draws come from; not used without augmentation and jitter.
    /// - Throws: `ImageError` where `strict`; `FileError` when not the frame is bad, but its folder is gone.
    func load(_ sequence: FrameSequence, random: RandomStream) throws -> LoadedSequence {
        var random = random
        let chosen = indices(of: sequence, random: &random)
        let frames = ByteBuffer(count: chosen.count * preprocessor.byteCount)
        // Drawn for every frame, readable or not, so that one bad frame does not change the others.
        let changes = augment?(chosen.count, &random)
        var (used, heights): ([Int], [Int]) = ([], [])
        var problems: [FrameProblem] = []
        let images = chosen.map { index in Result { try image(sequence, index) } }
        var shown = shown(images.compactMap { try? $0.get() })[...]
        for (place, index) in chosen.enumerated() {
            do {
                let image = try images[place].get()
                var picture = try preprocessor.fitted(shown.removeFirst())
                if let changes { picture = changes[place](picture) }
                preprocessor.paste(picture, into: frames, at: used.count)
                used.append(index)
                heights.append(image.height)
            } catch {
                if strict { throw error }
                if sequence.images == nil { try checkFolder(of: sequence.file(index)) }
                let reason = (error as? ImageError)?.reason.description ?? "\(error)"
                problems.append(FrameProblem(path: sequence.frames[index], reason: reason))
            }
        }
        return LoadedSequence(frames: frames, used: used, heights: heights, problems: problems)
    }

    /// A data set that was moved away, or a disk that dropped out, is no matter of single frames: what goes on without them would
    /// end with figures of whatever was left.
    private func checkFolder(of frame: String) throws {
        let folder = URL(fileURLWithPath: frame).deletingLastPathComponent().path
        guard !FileNames.exists(folder) else { return }
        throw FileError(folder, "is gone, or cannot be reached any more", advice: "bring the data set back and run again")
    }

    /// One frame by itself, for which there is no sequence yet: (1, H, W, 3) uint8.
    ///
    /// - Throws: `UsageError` for a picture so thin that nothing is left of it at the input size.
    func frame(_ image: RGBImage) throws -> Tensor {
        try preprocessor.frame(shown([image])[0])
    }

    /// What the model gets to see of frames of one sequence.
    private func shown(_ images: [RGBImage]) -> [RGBImage] {
        guard wholePlayers != .whole, WholePlayers.areShown(in: images) else { return images }
        // Frames too thin to look at are too thin to be read, too: each is named when its turn comes.
        return (try? finder?.numbers(of: images)) ?? images.map(WholePlayers.torso)
    }

    private func image(_ sequence: FrameSequence, _ index: Int) throws -> RGBImage {
        if let images = sequence.images { return try images[index].get() }
        let path = sequence.file(index)
        return try cache?.image(at: path) ?? RGBImage(contentsOf: URL(fileURLWithPath: path))
    }

    /// How many frames of a sequence are read where none has to be left out.
    package func frameCount(of sequence: FrameSequence) -> Int {
        var random = RandomStream(0)
        return indices(of: sequence, random: &random).count
    }

    private func indices(of sequence: FrameSequence, random: inout RandomStream) -> [Int] {
        let (order, anchor) = order.arranged(sequence.frames, anchor: sequence.anchor)
        if let singleFrame {
            if sampling == .jittered { return [order[Int.random(in: order.indices, using: &random)]] }
            if let anchor { return [anchor] }
            if singleFrame == .anchor { return [order[0]] }
        }
        return sampling.indices(count: order.count, limit: maximumFrames, random: &random).map { order[$0] }
    }
}
