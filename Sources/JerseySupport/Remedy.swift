/// What an error can be answered with, where each program has its own name for it. The library's messages do without
/// such names, as a service's clients and other programs read them, too; the command line adds its flag or command.
package enum Remedy: Sendable, Equatable {
    // Settings.
    case boxColumns, boxes, device, earlyExit, encoder, model, precision, published
    /// Measures, on sequences with known numbers, what a model may be trusted with.
    case calibration
    // Lists of names.
    case experimentList, modelList, settingList
}

extension Error {
    package var remedy: Remedy? { (self as? FileError)?.remedy ?? (self as? UsageError)?.remedy }
}
