import Jersey
import Torch

extension FramePreprocessor {
    /// Something to time a network with: (count, 3, H, W) drawn values, laid out as normalised frames are.
    func drawnFrames(_ count: Int, on device: Device) -> Tensor {
        .normal([count, 3, height, width], mean: 0, deviation: 1, seed: 1).to(device: device).contiguous(channelsLast: true)
    }
}
