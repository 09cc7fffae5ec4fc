import ArgumentParser
import Jersey

/// How a model that only reads is made faster.
struct CompilationOptions: ParsableArguments {
    @OptionGroup var arithmetic: PrecisionOptions

    @Flag(help: "Do not fold, fuse and pack the encoder's layers: the very operations of training, slower.")
    var eager = false

    var precision: Precision.Choice { arithmetic.precision }

    /// What benchmarks call it.
    func mode(of recognizer: Recognizer) -> ExecutionMode {
        ExecutionMode(precision: recognizer.reader.model.precision, isCompiled: !eager)
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
