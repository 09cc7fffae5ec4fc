import Jersey
import JerseyOutput
import Torch

/// How many frames may go through an encoder at once: what does not fit ends the program, and nothing has been measured.
struct MemoryBudget {
    /// Bytes that one frame takes, at most: as if all that the layers put out were there at once.
    private let frame: Int
    private let available: Int?

    /// - Parameter available: bytes that may be taken; as much as the machine has where nil. A GPU's memory is not looked at.
    init(_ encoder: EncoderKind, _ size: FramePreprocessor, on device: Device, available: Int? = nil) throws {
        let model = JerseyModel(try ModelSpec.named("basic_r18", encoder: encoder))
        let meter = OperationMeter()
        withoutGradients { _ = model.encode(size.drawnFrames(1, on: .cpu), Pass(meter: meter)) }
        frame = 4 * (meter.activations + 3 * size.height * size.width)
        self.available = available ?? (device == .cpu ? Memory.available : nil)
    }

    /// Why not so many; nil where they fit.
    func refusal(frames count: Int) -> String? {
        let need = frame * count
        guard let available, need > available else { return nil }
        return "takes up to \(Format.bytes(need)) of memory, and \(Format.bytes(available)) are free"
    }
}
