import Foundation
import Jersey
import Torch

/// The progress of a run. Together with the weights and the optimizer's moments it is all that an
/// exact resume needs.
struct TrainingState: Codable, Checked {
    /// Counts from 0.
    var epoch = 0
    /// Completed batches of this epoch.
    var batch = 0
    /// Sums over this epoch so far.
    var tally = Tally()
    var unreadableFiles = 0
    /// Time that earlier sessions spent in this epoch.
    var seconds = 0.0
    var rows: [EpochMetrics] = []
    var bestAccuracy = -1.0
    var bestLoss = Double.infinity
    var epochsWithoutBetterLoss = 0
    var learner = Learner.State(step: 0, scaler: nil)

    var validationError: String? {
        validationError(ofCounts: [
            "epoch": epoch, "batch": batch, "unreadableFiles": unreadableFiles,
            "epochsWithoutBetterLoss": epochsWithoutBetterLoss, "step": learner.step,
        ])
            ?? validationError(of: [seconds], "seconds", in: Limits.seconds) ?? validationError(
                of: [bestAccuracy], "bestAccuracy", in: -1...1)
            // Infinite before the first epoch.
            ?? (bestLoss == .infinity ? nil : validationError(of: [bestLoss], "bestLoss", in: Limits.finite))
            ?? tally
            .validationError
            ?? learner.scaler?.validationError ?? rows.compactMap(\.validationError).first
            ?? (rows.count == epoch && rows.enumerated().allSatisfy { $1.epoch == $0 + 1 }
                ? nil : "\(rows.count) rows for \(epoch) epochs")
    }

    private static let key = "state"

    /// Writes everything to one file, which is replaced atomically.
    func write(_ learner: Learner, to url: URL) throws {
        var tensors = learner.model.store.tensors.prefixed(by: "model.")
        tensors.merge(learner.optimizer.state.prefixed(by: "adam.")) { $1 }
        // The study never clears these gradients, so they belong to the state.
        for entry in learner.unoptimized {
            if let gradient = entry.tensor.gradient { tensors["gradient." + entry.name] = gradient }
        }
        var state = self
        state.learner = learner.state
        let text = JSON.text(try JSON.line(state))
        try Safetensors(metadata: [Self.key: text], tensors: tensors).write(to: url)
    }

    /// Restores the state, the weights and the optimizer of `learner`.
    static func read(_ url: URL, into learner: Learner) throws -> TrainingState {
        let anew = "remove the run folder and train again"
        let file: Safetensors
        do {
            file = try Safetensors(contentsOf: url)
        } catch let error as FileError {
            throw FileError(error.path, error.reason, advice: anew)
        }
        let broken = FileError(url.path, "is not a state of this run", advice: anew)
        guard let text = file.metadata[key] else { throw broken }
        let state: TrainingState
        do {
            state = try JSON.decoded(from: Data(text.utf8))
        } catch let error as DecodingError {
            throw FileError(url.path, "is not a state of this run (\(error.summary))", advice: anew)
        }
        let weights = file.tensors.part("model.")
        guard learner.model.store.mismatches(with: weights).isEmpty,
            learner.optimizer.restore(file.tensors.part("adam.")).isEmpty
        else {
            throw broken
        }
        learner.model.store.load(weights)
        let gradients = file.tensors.part("gradient.")
        guard
            learner.unoptimized.allSatisfy({ gradients[$0.name]?.shape ?? $0.tensor.shape == $0.tensor.shape }
            )
        else {
            throw broken
        }
        for entry in learner.unoptimized {
            if let gradient = gradients[entry.name] { entry.tensor.setGradient(gradient) }
        }
        learner.restore(state.learner)
        return state
    }
}
