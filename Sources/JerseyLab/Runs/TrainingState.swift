import Foundation
import Jersey
import Torch

/// Where a run is: with the weights and the optimizer's moments, all that is needed to go on as if nothing had happened.
struct TrainingState: Codable, Checked {
    /// From 0.
    var epoch = 0
    /// Batches of this epoch that are done.
    var batch = 0
    /// What this epoch has come to so far.
    var tally = Tally()
    var unreadableFiles = 0
    /// Time that earlier sessions spent on this epoch.
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
            // Before the first epoch it is infinite.
            ?? (bestLoss == .infinity ? nil : validationError(of: [bestLoss], "bestLoss", in: Limits.finite)) ?? tally
            .validationError
            ?? learner.scaler?.validationError ?? rows.compactMap(\.validationError).first
            ?? (rows.count == epoch && rows.enumerated().allSatisfy { $1.epoch == $0 + 1 }
                ? nil : "\(rows.count) rows of \(epoch) epochs")
    }

    private static let key = "state"

    /// Writes everything into one file, so that it is replaced as a whole.
    func write(_ learner: Learner, to url: URL) throws {
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in learner.model.store.tensors { tensors["model." + name] = tensor }
        for (name, tensor) in learner.optimizer.state { tensors["adam." + name] = tensor }
        // Gradients that the study never clears are part of the state, too.
        for entry in learner.unoptimized {
            if let gradient = entry.tensor.gradient { tensors["gradient." + entry.name] = gradient }
        }
        var state = self
        state.learner = learner.state
        let text = JSON.text(try JSON.line(state))
        try Safetensors(metadata: [Self.key: text], tensors: tensors).write(to: url)
    }

    /// Reads it back into `learner`.
    static func read(_ url: URL, into learner: Learner) throws -> TrainingState {
        let anew = "remove the run folder and train anew"
        let file: Safetensors
        do {
            file = try Safetensors(contentsOf: url)
        } catch let error as FileError {
            throw FileError(error.path, error.reason, advice: anew)
        }
        let broken = FileError(url.path, "is not the state of this run", advice: anew)
        guard let text = file.metadata[key] else { throw broken }
        let state: TrainingState
        do {
            state = try JSON.decoded(from: Data(text.utf8))
        } catch let error as DecodingError {
            throw FileError(url.path, "is not the state of this run (\(error.summary))", advice: anew)
        }
        func part(_ prefix: String) -> [String: Tensor] {
            Dictionary(
                uniqueKeysWithValues: file.tensors.filter { $0.key.hasPrefix(prefix) }.map {
                    (String($0.key.dropFirst(prefix.count)), $0.value)
                })
        }
        let weights = part("model.")
        guard learner.model.store.mismatches(with: weights).isEmpty, learner.optimizer.restore(part("adam.")).isEmpty else {
            throw broken
        }
        learner.model.store.load(weights)
        let gradients = part("gradient.")
        guard learner.unoptimized.allSatisfy({ gradients[$0.name]?.shape ?? $0.tensor.shape == $0.tensor.shape }) else {
            throw broken
        }
        for entry in learner.unoptimized {
            if let gradient = gradients[entry.name] { entry.tensor.setGradient(gradient) }
        }
        learner.restore(state.learner)
        return state
    }
}
