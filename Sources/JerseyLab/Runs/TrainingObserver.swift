/// Receives messages and progress from a trainer.
package protocol TrainingObserver: AnyObject {
    /// Shows a message to the user.
    func say(_ text: String)
    /// The run folder exists and is locked for this process.
    func didTake(_ folder: RunFolder)
    /// Called after each step: `batch` of `count` in `epoch` (from 1) of `epochs`.
    func didStep(epoch: Int, epochs: Int, batch: Int, count: Int, tally: Tally)
    func didFinish(_ epoch: FinishedEpoch)
}

/// For a process that leaves all reports to another.
final class NoObserver: TrainingObserver {
    func say(_ text: String) {}
    func didTake(_ folder: RunFolder) {}
    func didStep(epoch: Int, epochs: Int, batch: Int, count: Int, tally: Tally) {}
    func didFinish(_ epoch: FinishedEpoch) {}
}

/// An epoch's row, and further values to show.
package struct FinishedEpoch: Sendable {
    package let row: EpochMetrics
    /// Epochs of the whole run.
    package let epochs: Int
    /// Learning rates at the last step, without duplicates, in the order of the model's parts.
    package let rates: [Double]
    /// Epochs since the lowest validation loss. Training stops when they reach `patience`.
    package let epochsWithoutBetterLoss, patience: Int
}
