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
    func form(of recognizer: Recognizer) -> ReadingForm {
        ReadingForm(precision: recognizer.reader.model.precision, isCompiled: !eager)
    }

    func validate() throws {
        guard !eager || [.automatic, .fixed(.float32)].contains(precision) else {
            throw ValidationError("--eager goes with --precision float32 only")
        }
    }

    func apply(to options: inout Recognizer.Options) {
        options.precision = precision
        options.isEager = eager
    }
}

extension Precision.Choice: ExpressibleByArgument {}
