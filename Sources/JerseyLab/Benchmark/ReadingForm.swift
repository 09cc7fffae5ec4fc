import Jersey
import Torch

/// One of the ways in which a model can be run.
public struct ReadingForm: Sendable {
    let precision: Precision
    let isCompiled: Bool

    public init(precision: Precision, isCompiled: Bool) {
        (self.precision, self.isCompiled) = (precision, isCompiled)
    }

    /// Slowest first, as a rule, and what is left out, with the reason. In the eager form lower precision is libtorch's autocast,
    /// which the processor may only emulate: nobody would run that, and to time it takes minutes.
    ///
    /// - Parameter isNative: whether the device has instructions for a precision.
    static func all(
        on device: Device, isNative: (Precision, Device) -> Bool = { $0.isNative(on: $1) }
    ) -> (forms: [ReadingForm], leftOut: [String]) {
        let all =
            [.float32, device == .cuda ? .float16 : .bfloat16].map { ReadingForm(precision: $0, isCompiled: false) }
            + Precision.all(on: device).map { ReadingForm(precision: $0, isCompiled: true) }
        let (forms, others) = (
            all.filter { isNative($0.precision, device) }, all.filter { !isNative($0.precision, device) }
        )
        return (forms, others.map { $0.leftOut($0.precision.missing) })
    }

    /// "compiled int8: this processor …".
    func leftOut(_ reason: UsageError) -> String { "\(name): \(reason)" }

    var name: String { (isCompiled ? "compiled " : "eager ") + precision.rawValue }

    /// Share of numbers that it may read otherwise than the eager form in float32.
    var tolerance: Double {
        switch precision {
        case .float32: 0
        case .bfloat16, .float16: 0.001
        case .int8: 0.005
        }
    }

    /// - Throws: `UsageError` where the model cannot be had in this form, or not here.
    func recognizer(
        _ checkpoint: Checkpoint, on device: Device, path: String, loader: SequenceLoader
    ) throws -> Recognizer {
        var options = Recognizer.Options()
        options.device = device
        options.precision = .fixed(precision)
        options.isEager = !isCompiled
        return try Recognizer(checkpoint, path: path, options: options, loader: loader)
    }

    /// - Returns: when all is done, on a GPU as well.
    func callAsFunction<Result>(on device: Device, _ body: () throws -> Result) rethrows -> Result {
        let half: DType? = [.bfloat16, .float16].contains(precision) ? precision.dtype : nil
        defer { Runtime.finish(device) }
        return try withAutocast(isCompiled ? nil : half, on: device) { try withoutGradients(body) }
    }
}

extension FramePreprocessor {
    /// Something to time a network with: (count, 3, H, W) drawn values, laid out as normalised frames are.
    func drawnFrames(_ count: Int, on device: Device) -> Tensor {
        .normal([count, 3, height, width], mean: 0, deviation: 1, seed: 1).to(device: device).contiguous(channelsLast: true)
    }
}
