import ArgumentParser
import Jersey
import JerseyLab
import Torch

/// How a model that only reads is made faster.
struct CompilationOptions: ParsableArguments {
    @Option(
        help: """
            What the encoder computes in: automatic is the fastest here whose answers `jersey calibrate` has found to be those of \
            float32. bfloat16 and int8, for a model that `jersey calibrate` has seen, need instructions that not all processors have; \
            float16 is for a GPU.
            """)
    var precision = Precision.Choice.automatic

    @Flag(help: "Do not fold, fuse and pack the encoder's layers: the very operations of training, slower.")
    var eager = false

    /// What benchmarks call it.
    func form(of model: JerseyModel) -> ReadingForm { ReadingForm(precision: model.precision, isCompiled: !eager) }

    func validate() throws {
        guard !eager || [.automatic, .fixed(.float32)].contains(precision) else {
            throw ValidationError("--eager goes with --precision float32 only")
        }
    }

    /// - Parameter card: of the model.
    /// - Throws: `UsageError` where something else than float32 is asked for and cannot be had.
    func apply(to model: JerseyModel, _ card: Checkpoint.Card) throws {
        if !eager { try model.compile(asked: precision, card) }
    }
}

extension Precision.Choice: ExpressibleByArgument {}
