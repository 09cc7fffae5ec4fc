import Torch

/// Fits frames to the network's input: aspect-preserving resize, centred padding, ImageNet
/// normalisation.
package struct FramePreprocessor: Sendable, Equatable {
    /// The range of height and width in pixels.
    package static let sides = 16...2048

    package let height: Int
    package let width: Int
    /// Whether sizes are truncated to whole pixels, as in the study, or rounded.
    package let truncates: Bool

    package init(height: Int, width: Int, truncates: Bool = false) {
        self.height = height
        self.width = width
        self.truncates = truncates
    }

    /// Bytes of one frame.
    package var byteCount: Int { height * width * 3 }

    /// The size of a fitted picture of `width` × `height`; nil if truncation leaves nothing of it.
    package func fit(width: Int, height: Int) -> (width: Int, height: Int)? {
        let scale = min(Double(self.height) / Double(height), Double(self.width) / Double(width))
        let (w, h) = (Double(width) * scale, Double(height) * scale)
        if truncates {
            let (width, height) = (Int(clamping: w), Int(clamping: h))
            return width > 0 && height > 0 ? (width, height) : nil
        }
        return (
            min(max(1, Int(clamping: w.rounded())), self.width),
            min(max(1, Int(clamping: h.rounded())), self.height)
        )
    }

    /// Rows above a fitted picture and columns left of it.
    package func margins(width: Int, height: Int) -> (top: Int, left: Int) {
        ((self.height - height) / 2, (self.width - width) / 2)
    }

    /// (1, 3, h, w) uint8, scaled to fit; nil if truncation leaves nothing of the picture.
    package func resized(_ image: RGBImage) -> Tensor? {
        guard let size = fit(width: image.width, height: image.height) else { return nil }
        let picture = image.resized(width: size.width, height: size.height)
        return Tensor(picture.pixels, shape: [1, size.height, size.width, 3]).permuted(0, 3, 1, 2)
    }

    /// Copies a resized picture (1, 3, h, w) with values 0...255 into the middle of frame `index`
    /// of `target`, whose bytes are zero.
    package func paste(_ picture: Tensor, into target: ByteBuffer, at index: Int) {
        let (h, w) = (picture.shape[2], picture.shape[3])
        let (top, left) = margins(width: w, height: h)
        let canvas = Tensor(sharing: target, offset: index * byteCount, shape: [height, width, 3])
        canvas.narrowed(0, to: top..<top + h).narrowed(1, to: left..<left + w)
            .copy(from: picture.selected(0, at: 0).permuted(1, 2, 0))
    }

    /// (1, H, W, 3) uint8, fitted.
    ///
    /// - Throws: `UsageError` if truncation leaves nothing of the picture.
    func frame(_ image: RGBImage) throws -> Tensor {
        let buffer = ByteBuffer(count: byteCount)
        paste(try fitted(image), into: buffer, at: 0)
        return Tensor(sharing: buffer, shape: [1, height, width, 3])
    }

    /// The same as `resized`, but throws.
    ///
    /// - Throws: `UsageError` if truncation leaves nothing of the picture.
    package func fitted(_ image: RGBImage) throws -> Tensor {
        guard let picture = resized(image) else {
            throw UsageError(
                "\(image.width)x\(image.height) pixels are too thin: nothing is left at the input size")
        }
        return picture
    }

    static let mean: [Float] = [0.485, 0.456, 0.406]
    static let deviation: [Float] = [0.229, 0.224, 0.225]
    /// The range of values in normalised frames.
    static let range: ClosedRange<Float> = {
        let low = zip(mean, deviation).map { -$0 / $1 }
        let high = zip(mean, deviation).map { (1 - $0) / $1 }
        return low.reduce(0, min)...high.reduce(0, max)
    }()

    private static let scale = deviation.map { 1 / (255 * $0) }
    private static let shift = zip(mean, deviation).map { -$0 / $1 }

    /// (R, H, W, 3) uint8 on the CPU to (R, 3, H, W) float32 on `device`, channels-last in memory.
    package static func normalized(_ frames: Tensor, on device: Device) -> Tensor {
        device == .cpu ? frames.scaledFrames(scale, shift) : normalizedByOperations(frames.to(device: device))
    }

    /// The same with libtorch's operations: for any device, and for exports.
    package static func normalizedByOperations(_ frames: Tensor) -> Tensor {
        func colours(_ values: [Float]) -> Tensor {
            Tensor(values, shape: [1, 3, 1, 1]).to(device: frames.device)
        }
        return frames.permuted(0, 3, 1, 2).to(dtype: .float32).multiplyInPlace(colours(scale)).addInPlace(
            colours(shift))
    }
}
