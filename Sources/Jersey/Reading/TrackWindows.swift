/// How a long track is looked at: every few frames, in windows of as many looks as a model takes.
///
/// A short track fills its first window before it is thinned. Windows are of equal size, but for one look.
package struct TrackWindows: Sendable, Equatable {
    /// Neighbouring frames of a video show the same.
    package static let usualStride = 5

    /// Every how-manieth frame is looked at.
    package let step: Int
    package let looks: Int
    package let count: Int

    /// - Parameters:
    ///   - frames: of the track.
    ///   - size: most looks of a window; at least 1, as `stride` is.
    ///   - stride: of a long track, every how-manieth frame is looked at.
    package init(frames: Int, size: Int, stride: Int) {
        step = min(stride, max(1, frames / size))
        looks = (frames + step - 1) / step
        count = (looks + size - 1) / size
    }

    /// The window that looks at frame `frame`, from 0; nil where none does.
    package func window(ofFrame frame: Int) -> Int? {
        frame % step == 0 ? frame / step * count / looks : nil
    }
}

extension FrameSequence {
    /// Itself, where it has `size` frames at most; else windows of it, all with its names and no anchor.
    package func windows(size: Int, stride: Int = TrackWindows.usualStride) -> [FrameSequence] {
        guard frames.count > size else { return [self] }
        let plan = TrackWindows(frames: frames.count, size: size, stride: stride)
        var members: [[Int]] = Array(repeating: [], count: plan.count)
        for frame in frames.indices {
            if let window = plan.window(ofFrame: frame) { members[window].append(frame) }
        }
        return members.map(part)
    }

    /// Two of its frames, one of each half, without an anchor.
    var preview: FrameSequence {
        part(frames.count < 3 ? Array(frames.indices) : [frames.count / 4, frames.count * 3 / 4])
    }

    private func part(_ indices: [Int]) -> FrameSequence {
        FrameSequence(
            id: id, track: track, number: number, frames: indices.map { frames[$0] },
            images: images.map { images in indices.map { images[$0] } }, anchor: nil, archive: archive)
    }
}
