import ArgumentParser

/// Whether to stop looking early.
struct AnytimeOptions: ParsableArguments {
    @Flag(help: "Look at no more frames of a sequence than it takes to be sure; for models that `jersey calibrate` has seen.")
    var anytime = false
}
