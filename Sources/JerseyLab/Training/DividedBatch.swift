import Jersey
import Torch

/// A batch that several processes divide, or that one has alone.
struct DividedBatch {
    /// This process's part; nil if no process can learn from the batch.
    let own: LabelledBatch?
    /// Files of the whole batch that cannot be read.
    let unreadableFiles: Int

    /// - Parameters:
    ///   - part: what this process has loaded of the batch.
    ///   - syncsNorm: whether batch norm takes its statistics over the whole batch.
    init(_ part: BatchLoader.Batch, in group: any ProcessGroup, device: Device, syncsNorm: Bool) {
        let shape = part.frames.shape
        let hasNumber = part.sequences.contains { $0.number != nil }
        // The frames of every process, then what else is counted.
        var counts = [Double](repeating: 0, count: group.size)
        counts[group.rank] = Double(shape[0])
        let learns = Self.learnsNorm(shape[0], shape)
        counts = group.sums(counts + [hasNumber, learns].map { $0 ? 1 : 0 } + [Double(part.problems.count)])
        let frames = counts[..<group.size].map { Int($0) }
        let others = counts[group.size...].map { Int($0) }
        unreadableFiles = others[2]
        let canLearn =
            others[0] > 0
            && (syncsNorm ? Self.learnsNorm(frames.reduce(0, +), shape) : others[1] == group.size)
        guard canLearn else {
            own = nil
            return
        }
        let share = group.size > 1 ? BatchShare(rows: frames, rank: group.rank) : nil
        guard share?.counts != false else {
            own = LabelledBatch(
                frames: FramePreprocessor.normalized(
                    .zeros([1] + shape.dropFirst(), dtype: .uint8), on: device),
                lengths: [1], isPadded: false, numbers: [JerseyNumber.all[0]], share: share)
            return
        }
        own = LabelledBatch(
            frames: FramePreprocessor.normalized(part.frames, on: device), lengths: part.lengths,
            isPadded: part.isPadded, numbers: part.sequences.map(\.number), share: share)
    }

    /// Whether batch norm can learn from this many frames (R, H, W, 3). It needs more than one
    /// value per channel, which one small frame does not have at the end of the network.
    private static func learnsNorm(_ count: Int, _ shape: [Int]) -> Bool {
        count > 1 || (count == 1 && max(shape[1], shape[2]) > 32)
    }
}

/// The share of a process's part in the losses of a whole batch, which are means.
struct LossShares {
    private let rows, frames: (own: Double, all: Double)

    init(_ targets: LearningTargets, of batch: LabelledBatch, in group: any ProcessGroup) {
        let own =
            batch.share?.counts == false ? [0, 0] : [targets.tens, batch.frames].map { Double($0.shape[0]) }
        let all = group.sums(own)
        rows = (own[0], all[0])
        frames = (own[1], all[1])
    }

    /// - Parameter loss: the mean over the rows of `logits`, one for each label.
    func ofRows(_ logits: Tensor, _ loss: (Tensor) -> Tensor) -> Tensor { Self.part(rows, logits, loss) }

    /// - Parameter loss: the mean over the rows of `logits`, one for each frame.
    func ofFrames(_ logits: Tensor, _ loss: (Tensor) -> Tensor) -> Tensor { Self.part(frames, logits, loss) }

    private static func part(
        _ share: (own: Double, all: Double), _ logits: Tensor, _ loss: (Tensor) -> Tensor
    ) -> Tensor {
        if share.own == share.all { return loss(logits) }
        // The mean of no row is not a number. The parameters get gradients of 0, as they have one
        // in the other processes.
        if share.own == 0 { return (logits * 0).sum(over: 0, 1) }
        return loss(logits) * (share.own / share.all)
    }
}
