import ArgumentParser
import Jersey
import JerseyLab
import Torch

/// How a model that only reads is made faster.
struct CompilationOptions: ParsableArguments {
    @Option(
        help: """
            What the encoder computes in. bfloat16 and, on a GPU, float16 are faster; so is int8 on the CPU, for a model that \
            `jersey calibrate` has seen.
            """)
    var precision = Precision.float32

    @Flag(help: "Do not fold, fuse and pack the encoder's layers: the very operations of training, slower.")
    var eager = false

    /// What benchmarks call it.
    var form: ReadingForm { ReadingForm(precision: precision, isCompiled: !eager) }

    func validate() throws {
        guard !eager || precision == .float32 else { throw ValidationError("--eager goes with --precision float32 only") }
    }

    /// - Parameter card: of the model.
    /// - Throws: `UsageError` where something else than float32 is asked for and cannot be had.
    func apply(to model: JerseyModel, _ card: Checkpoint.Card) throws {
        if !eager { try model.compile(asked: precision, card) }
    }
}

extension Precision: ExpressibleByArgument {}
