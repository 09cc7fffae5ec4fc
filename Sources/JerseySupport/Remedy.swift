/// The setting, command or list that resolves an error. Library messages do not name flags or
/// commands, because clients of the service and other programs read them as well. The command line
/// adds its own name for the remedy.
package enum Remedy: Sendable, Equatable {
    // Settings.
    case boxColumns, boxes, clusterOptions, device, earlyExit, encoder, launcher, model, precision,
        published, shards
    /// Measures on labelled sequences how reliable a model's confidences are.
    case calibration
    // Lists of names.
    case experimentList, modelList, settingList
}

extension Error {
    package var remedy: Remedy? {
        (self as? FileError)?.remedy ?? (self as? UsageError)?.remedy ?? (self as? Slurm.Failure)?.remedy
    }
}
