import ArgumentParser

/// Whether to stop reading early.
struct AnytimeOptions: ParsableArguments {
    @Flag(
        help:
            "Early exit: stop reading a sequence once the answer is certain enough. Needs a calibrated model."
    )
    var anytime = false
}
