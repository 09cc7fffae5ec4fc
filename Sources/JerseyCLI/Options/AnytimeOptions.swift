import ArgumentParser
import Jersey

/// Whether to stop looking early.
struct AnytimeOptions: ParsableArguments {
    @Flag(help: "Look at no more frames of a sequence than it takes to be sure; for models that `jersey calibrate` has seen.")
    var anytime = false

    /// When a model with this card stops; nil where it is to read all frames.
    ///
    /// - Throws: `UsageError` where it was not measured when it may.
    func reading(_ card: Checkpoint.Card) throws -> AnytimeReading? { anytime ? try card.anytimeReading() : nil }
}
