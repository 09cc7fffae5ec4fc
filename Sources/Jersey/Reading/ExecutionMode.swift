import Torch

/// How a model runs: eager or compiled, and in which precision.
package struct ExecutionMode: Sendable {
    package let precision: Precision
    package let isCompiled: Bool

    package init(precision: Precision, isCompiled: Bool) {
        self.precision = precision
        self.isCompiled = isCompiled
    }

    /// All modes, usually slowest first, and those that are left out, with the reason. In eager
    /// mode a lower precision is libtorch's autocast, which the processor may only emulate; that is
    /// of no use and takes minutes to time.
    ///
    /// - Parameter isNative: whether the device has instructions for a precision.
    package static func all(
        on device: Device, isNative: (Precision, Device) -> Bool = { $0.isNative(on: $1) }
    ) -> (modes: [ExecutionMode], leftOut: [String]) {
        let all =
            [.float32, device == .cuda ? .float16 : .bfloat16].map {
                ExecutionMode(precision: $0, isCompiled: false)
            }
            + Precision.all(on: device).map { ExecutionMode(precision: $0, isCompiled: true) }
        let (modes, others) = (
            all.filter { isNative($0.precision, device) }, all.filter { !isNative($0.precision, device) }
        )
        return (modes, others.map { $0.leftOut($0.precision.missing) })
    }

    /// "compiled int8: this processor …".
    package func leftOut(_ reason: UsageError) -> String { "\(name): \(reason)" }

    package var name: String { (isCompiled ? "compiled " : "eager ") + precision.rawValue }

    /// The share of numbers that may differ from eager float32.
    package var tolerance: Double {
        switch precision {
        case .float32: 0
        case .bfloat16, .float16: 0.001
        case .int8: 0.005
        }
    }

    /// - Throws: `UsageError` if the model or this machine does not support the mode.
    package func recognizer(
        _ checkpoint: Checkpoint, on device: Device, path: String, loader: SequenceLoader
    ) throws -> Recognizer {
        var options = Recognizer.Options()
        options.device = device
        options.precision = .fixed(precision)
        options.isEager = !isCompiled
        return try Recognizer(checkpoint, path: path, options: options, loader: loader)
    }

    /// Runs `body` in this mode. Returns when all work is done, on a GPU as well.
    package func callAsFunction<Result>(on device: Device, _ body: () throws -> Result) rethrows -> Result {
        let half: DType? = [.bfloat16, .float16].contains(precision) ? precision.dtype : nil
        defer { Runtime.finish(device) }
        return try withAutocast(isCompiled ? nil : half, on: device) { try withoutGradients(body) }
    }
}
