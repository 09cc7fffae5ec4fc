import ArgumentParser
import Jersey

/// How to make a model faster that is used for inference only.
struct CompilationOptions: ParsableArguments {
    @OptionGroup var arithmetic: PrecisionOptions

    @Flag(help: "Run the same operations as in training, without folding, fusing and packing layers. Slower.")
    var eager = false

    var precision: Precision.Choice { arithmetic.precision }

    /// The mode that benchmarks report.
    func mode(of recognizer: Recognizer) -> ExecutionMode {
        ExecutionMode(precision: recognizer.reader.model.precision, isCompiled: !eager)
    }

    func validate() throws {
        guard !eager || [.automatic, .fixed(.float32)].contains(precision) else {
            throw ValidationError("--eager works only with --precision float32")
        }
    }

    func apply(to options: inout Recognizer.Options) {
        options.precision = precision
        options.isEager = eager
    }
}
