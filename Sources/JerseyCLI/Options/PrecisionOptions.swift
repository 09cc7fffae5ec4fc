import ArgumentParser
import Jersey

/// What a model that only reads computes in.
struct PrecisionOptions: ParsableArguments {
    @Option(
        help: """
            What the encoder computes in: automatic is the fastest here whose answers `jersey calibrate` has found to be those of \
            float32. bfloat16 and int8, for a model that `jersey calibrate` has seen, need instructions that not all processors have; \
            float16 is for a GPU.
            """)
    var precision = Precision.Choice.automatic
}

extension Precision.Choice: ExpressibleByArgument {}
