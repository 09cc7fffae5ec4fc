import ArgumentParser
import Jersey

/// The precision of a model that is used for inference only.
struct PrecisionOptions: ParsableArguments {
    @Option(
        help: """
            Precision of the encoder. 'automatic' picks the fastest one here that `jersey calibrate` found to answer as float32 does. \
            bfloat16 and int8 need a calibrated model and a processor with the instructions; float16 needs a GPU.
            """)
    var precision = Precision.Choice.automatic
}

extension Precision.Choice: ExpressibleByArgument {}
