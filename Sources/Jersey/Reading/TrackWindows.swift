/// How a long track is read: every few frames, in windows of as many frames as a model takes.
///
/// A short track is thinned less, so that it still fills one window. The sizes of windows differ by
/// at most one frame.
package struct TrackWindows: Sendable, Equatable {
    /// Neighbouring frames of a video show the same.
    package static let usualStride = 5

    /// Every `step`-th frame is read.
    package let step: Int
    package let looks: Int
    package let count: Int

    /// - Parameters:
    ///   - frames: the number of the track's frames.
    ///   - size: the most frames of a window; at least 1, as is `stride`.
    ///   - stride: reads every `stride`-th frame of a long track.
    package init(frames: Int, size: Int, stride: Int) {
        step = min(stride, max(1, frames / size))
        looks = (frames + step - 1) / step
        count = (looks + size - 1) / size
    }

    /// The frames that are read.
    var frames: [Int] { (0..<looks).map { $0 * step } }

    /// The window that contains frame `frame`, from 0; nil if none does.
    package func window(ofFrame frame: Int) -> Int? {
        frame % step == 0 ? frame / step * count / looks : nil
    }
}

extension FrameSequence {
    /// The sequence itself if it has at most `size` frames; otherwise its windows, with the same
    /// names and without an anchor.
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
