import Jersey
import Torch

extension FramePreprocessor {
    /// Random frames (count, 3, H, W) for timing, in the memory layout of normalised frames.
    func drawnFrames(_ count: Int, on device: Device) -> Tensor {
        .normal([count, 3, height, width], mean: 0, deviation: 1, seed: 1).to(device: device).contiguous(
            channelsLast: true)
    }
}
