import Jersey
import Torch

/// One of the ways in which a model can be run on the CPU.
public struct ReadingForm: Sendable {
    let precision: Precision
    let isCompiled: Bool

    public init(precision: Precision, isCompiled: Bool) {
        (self.precision, self.isCompiled) = (precision, isCompiled)
    }

    /// Slowest first, as a rule. In the eager form lower precision is libtorch's autocast.
    static let all = [
        ReadingForm(precision: .float32, isCompiled: false), ReadingForm(precision: .bfloat16, isCompiled: false),
        ReadingForm(precision: .float32, isCompiled: true), ReadingForm(precision: .bfloat16, isCompiled: true),
        ReadingForm(precision: .int8, isCompiled: true),
    ]

    var name: String { (isCompiled ? "compiled " : "eager ") + precision.rawValue }

    /// - Throws: `UsageError` where the model cannot be had in this form, or not here.
    func model(_ checkpoint: Checkpoint, path: String) throws -> JerseyModel {
        let model = try checkpoint.model(on: .cpu, path: path)
        if isCompiled { try model.compile(precision, ranges: checkpoint.card.activations) }
        return model
    }

    func callAsFunction<Result>(_ body: () throws -> Result) rethrows -> Result {
        try withAutocast(!isCompiled && precision == .bfloat16 ? .bfloat16 : nil, on: .cpu) { try withoutGradients(body) }
    }
}

extension FramePreprocessor {
    /// Something to time a network with: (count, 3, H, W) drawn values, laid out as normalised frames are.
    func drawnFrames(_ count: Int) -> Tensor {
        .normal([count, 3, height, width], mean: 0, deviation: 1, seed: 1).contiguous(channelsLast: true)
    }
}
