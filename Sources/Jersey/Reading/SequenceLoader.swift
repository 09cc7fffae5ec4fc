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

/// The frames of one sequence, ready for a batch, in plain memory that can cross threads.
package struct LoadedSequence: Sendable {
    /// (T, H, W, 3) uint8.
    let frames: ByteBuffer
    /// Indices of the frames that were read, in reading order.
    let used: [Int]
    /// The heights of the frames read, in pixels before they were fitted.
    let heights: [Int]
    /// Where the number is in each frame read, in its pixels; nil where none was found or looked
    /// for.
    let boxes: [NumberBox?]
    let problems: [FrameProblem]
}

/// Reads, fits and augments the frames of one sequence. The result depends only on the arguments,
/// not on the thread.
package struct SequenceLoader: Sendable {
    /// Which frames a single-frame model reads.
    package enum SingleFrame: Sendable {
        /// The anchor; the first frame if none is marked, as in the study.
        case anchor
        /// The anchor; all frames if none is marked.
        case anchorOrAll
    }

    package var preprocessor: FramePreprocessor
    package var maximumFrames: Int
    package var sampling: FrameSampling
    package var order = FrameOrder.time
    package var wholePlayers = WholePlayers.whole
    /// Finds the numbers that `WholePlayers.number` asks for; without it the pictures are read as
    /// they are.
    package var finder: (any NumberFinding)?
    /// Takes the boxes of rendered frames from the truth beside them instead. A model learns from
    /// true boxes, and with them reading can be measured by itself.
    package var usesTruth = false
    /// Shifts and scales boxes at random, for training.
    package var jittersBoxes = false
    /// Nil for models that read sequences.
    package var singleFrame: SingleFrame?
    /// The augmentation of a sequence's fitted frames: for each of `count` frames, a change of a
    /// picture (1, 3, h, w) with values 0...255.
    package var augment: (@Sendable (_ count: Int, _ random: inout RandomStream) -> [(Tensor) -> Tensor])?
    package var cache: FrameCache?
    /// Whether an unreadable frame is an error instead of being left out.
    package var strict = false

    package init(
        preprocessor: FramePreprocessor, maximumFrames: Int, sampling: FrameSampling,
        singleFrame: SingleFrame? = nil
    ) {
        self.preprocessor = preprocessor
        self.maximumFrames = maximumFrames
        self.sampling = sampling
        self.singleFrame = singleFrame
    }

    /// A loader that prepares frames for a model with this input.
    ///
    /// - Parameters:
    ///   - published: whether to fit, order and sample frames as in the study.
    ///   - singleFrame: which frames a single-frame model reads.
    package init(_ input: InputSpec, for spec: ModelSpec, published: Bool, singleFrame: SingleFrame) {
        preprocessor = FramePreprocessor(height: input.height, width: input.width, truncates: published)
        maximumFrames = input.maximumFrames
        sampling = published ? .published(anchorFirst: true) : .even
        order = FrameOrder(published: published)
        wholePlayers = input.wholePlayers
        self.singleFrame = spec.readsAnchorOnly ? singleFrame : nil
    }

    /// A loader for a model with this card, but without the `finder`, which needs the model's
    /// weights.
    ///
    /// - Parameter singleFrame: which frames a single-frame model reads.
    package init(_ card: Checkpoint.Card, singleFrame: SingleFrame) {
        self.init(card.input, for: card.spec, published: card.published, singleFrame: singleFrame)
    }

    /// The sequence itself, or its windows if it is longer than the model's input.
    ///
    /// - Parameter stride: reads every `stride`-th frame of a long sequence.
    package func windows(of sequence: FrameSequence, stride: Int = TrackWindows.usualStride)
        -> [FrameSequence]
    {
        // A marked anchor is the frame to read.
        if sequence.anchor != nil && singleFrame != nil { return [sequence] }
        return sequence.windows(size: maximumFrames, stride: stride)
    }

    /// Loads the frames of a sequence without augmentation, on the calling thread.
    ///
    /// - Throws: `ImageError` for an unreadable frame if `strict`; `FileError` if the folder of a
    ///   frame is gone.
    package func load(_ sequence: FrameSequence) throws -> LoadedSequence {
        try withoutGradients { try load(sequence, random: RandomStream(0)) }
    }

    /// - Parameter random: the source of augmentation and jitter; not used without them.
    /// - Throws: `ImageError` for an unreadable frame if `strict`; `FileError` if the folder of a
    ///   frame is gone.
    func load(_ sequence: FrameSequence, random: RandomStream) throws -> LoadedSequence {
        var random = random
        let chosen = indices(of: sequence, random: &random)
        let frames = ByteBuffer(count: chosen.count * preprocessor.byteCount)
        // Drawn for every frame, readable or not, so that one bad frame does not change the others.
        let changes = augment?(chosen.count, &random)
        var (used, heights, boxes): ([Int], [Int], [NumberBox?]) = ([], [], [])
        var problems: [FrameProblem] = []
        let images = chosen.map { index in Result { try image(sequence, index) } }
        let readable = zip(chosen, images).compactMap { index, image in (try? image.get()).map { (index, $0) }
        }
        let truth = try trueBoxes(readable.map { sequence.file($0.0) })
        var views = views(readable.map(\.1), truth: truth, &random)[...]
        for (place, index) in chosen.enumerated() {
            do {
                let image = try images[place].get()
                let view = views.removeFirst()
                var picture = try preprocessor.fitted(view.picture)
                if let changes { picture = changes[place](picture) }
                preprocessor.paste(picture, into: frames, at: used.count)
                used.append(index)
                heights.append(image.height)
                boxes.append(view.box)
            } catch {
                if strict { throw error }
                if sequence.images == nil { try checkFolder(of: sequence.file(index)) }
                let reason = (error as? ImageError)?.reason.description ?? "\(error)"
                problems.append(FrameProblem(path: sequence.frames[index], reason: reason))
            }
        }
        return LoadedSequence(
            frames: frames, used: used, heights: heights, boxes: boxes, problems: problems)
    }

    /// Throws if a frame's folder is gone: the data set was moved, or a disk dropped out.
    /// Continuing without its frames would give figures for whatever was left.
    private func checkFolder(of frame: String) throws {
        let folder = URL(fileURLWithPath: frame).deletingLastPathComponent().path
        guard !FileNames.exists(folder) else { return }
        throw FileError(
            folder, "is gone or no longer accessible", advice: "restore the data set and run again")
    }

    /// One frame that is not part of a sequence yet: (1, H, W, 3) uint8.
    ///
    /// - Throws: `UsageError` for an image so thin that nothing is left of it at the input size.
    func frame(_ image: RGBImage) throws -> Tensor {
        var random = RandomStream(0)
        return try preprocessor.frame(views([image], &random)[0].picture)
    }

    /// What the model sees of a frame.
    private struct View {
        let picture: RGBImage
        var box: NumberBox?

        /// The number, or a black picture if there is none: there is nothing to read.
        init(of image: RGBImage, at box: NumberBox?) {
            picture = box.map(image.cropped) ?? RGBImage(width: 1, height: 1, pixels: [0, 0, 0])
            self.box = box
        }

        init(_ picture: RGBImage) { self.picture = picture }
    }

    /// The part of each of one sequence's frames that the model sees.
    ///
    /// - Parameter truth: the true boxes, where they are to be used instead of the finder's.
    private func views(
        _ images: [RGBImage], truth: [NumberBox?]? = nil, _ random: inout RandomStream
    ) -> [View] {
        switch wholePlayers {
        case .torso where WholePlayers.areShown(in: images):
            return images.map { View(WholePlayers.torso(of: $0)) }
        case .whole, .torso: return images.map { View($0) }
        case .number:
            guard let boxes = truth ?? finder?.boxes(in: images) else { return images.map { View($0) } }
            return zip(images, boxes).map { image, box in
                View(of: image, at: jittersBoxes ? NumberBox.jittered(box, in: image, &random) : box)
            }
        }
    }

    /// The boxes in the truth beside rendered frames, if they are to be used and there is one.
    private func trueBoxes(_ paths: [String]) throws -> [NumberBox?]? {
        guard wholePlayers == .number, usesTruth, let first = paths.first else { return nil }
        let folder = URL(fileURLWithPath: first).deletingLastPathComponent()
        return try FrameTruth.all(in: folder).map { truth in
            paths.map { truth[URL(fileURLWithPath: $0).lastPathComponent]?.box }
        }
    }

    private func image(_ sequence: FrameSequence, _ index: Int) throws -> RGBImage {
        if let images = sequence.images { return try images[index].get() }
        let path = sequence.file(index)
        return try cache?.image(at: path) ?? RGBImage(contentsOf: URL(fileURLWithPath: path))
    }

    /// How many frames of a sequence are read if none has to be left out.
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
