import Jersey
import JerseyOutput
import Torch

/// Checks that a batch fits in memory before the benchmark starts. Otherwise the kernel would kill
/// the program midway.
struct MemoryBudget {
    /// Upper bound of bytes per frame: the sum over all layers' outputs.
    private let frame: Int
    private let available: Int?

    /// - Parameter available: limit in bytes; nil for the machine's free memory. GPU memory is not
    ///   checked.
    init(_ encoder: EncoderKind, _ size: FramePreprocessor, on device: Device, available: Int? = nil) throws {
        let model = JerseyModel(try ModelSpec.named("basic_r18", encoder: encoder))
        let meter = OperationMeter()
        withoutGradients { _ = model.encode(size.drawnFrames(1, on: .cpu), Pass(meter: meter)) }
        frame = 4 * (meter.activations + 3 * size.height * size.width)
        self.available = available ?? (device == .cpu ? Memory.available : nil)
    }

    /// Why that many frames do not fit; nil if they do.
    func refusal(frames count: Int) -> String? {
        let need = frame * count
        guard let available, need > available else { return nil }
        return "takes up to \(Format.bytes(need)) of memory, and \(Format.bytes(available)) are free"
    }
}
