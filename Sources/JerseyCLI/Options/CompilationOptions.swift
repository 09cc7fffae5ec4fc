import ArgumentParser
import Jersey
import Torch

/// How a model that only reads is made faster.
struct CompilationOptions: ParsableArguments {
    @Option(help: "What the encoder computes in, on the CPU; bfloat16 is faster where the processor has instructions for it.")
    var precision = Precision.float32

    @Flag(help: "Do not fold, fuse and pack the encoder's layers: the very operations of training, slower.")
    var eager = false

    func validate() throws {
        guard !eager || precision == .float32 else { throw ValidationError("--eager goes with --precision float32 only") }
    }

    /// - Throws: `UsageError` where bfloat16 is asked for and cannot be had.
    func apply(to model: JerseyModel) throws {
        if !eager { try model.compile(asked: precision) }
    }
}

extension Precision: ExpressibleByArgument {}
