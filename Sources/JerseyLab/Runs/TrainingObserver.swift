/// What a trainer tells while it works.
package protocol TrainingObserver: AnyObject {
    /// A sentence for the user.
    func say(_ text: String)
    /// The run's folder is there, and nobody else trains in it.
    func didTake(_ folder: RunFolder)
    /// A step is done: `batch` of `count` in `epoch` (from 1) of `epochs`.
    func didStep(epoch: Int, epochs: Int, batch: Int, count: Int, tally: Tally)
    func didFinish(_ epoch: FinishedEpoch)
}

/// An epoch's row, and what is told beside it.
package struct FinishedEpoch: Sendable {
    package let row: EpochMetrics
    /// How many the whole run has.
    package let epochs: Int
    /// Learning rates of its last step in the order of the model's parts, each once.
    package let rates: [Double]
    /// Epochs since the validation loss was lowest, and how many the run has patience for.
    package let epochsWithoutBetterLoss, patience: Int
}
