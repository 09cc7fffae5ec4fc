import Jersey

/// One epoch: a line of `metrics.jsonl`.
package struct EpochMetrics: Codable, Sendable, Equatable, Checked {
    package struct Part: Codable, Sendable, Equatable, Checked {
        package var loss: Double
        package var numberAccuracy: Double
        package var tensAccuracy: Double
        package var onesAccuracy: Double
        /// Nil without a full-number head.
        package var fullAccuracy: Double?
        package var sequences: Int

        private enum CodingKeys: String, CodingKey {
            case loss, sequences
            case numberAccuracy = "number_accuracy"
            case tensAccuracy = "tens_accuracy"
            case onesAccuracy = "ones_accuracy"
            case fullAccuracy = "full_accuracy"
        }

        package var validationError: String? {
            validationError(of: sequences, "sequences", in: 0...Limits.count) ?? validationError(
                of: [loss], "loss", in: Limits.finite)
                ?? validationError(
                    of: [numberAccuracy, tensAccuracy, onesAccuracy] + [fullAccuracy].compactMap { $0 },
                    "an accuracy", in: 0...1)
        }
    }

    /// Counts from 1.
    package var epoch: Int
    /// The schedule's factor on the learning rates at the last step.
    package var rateFactor: Double
    package var train: Part
    package var validation: Part?
    package var unreadableFiles: Int
    /// Whether the validation accuracy was the best so far.
    package var best: Bool
    package var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case epoch, train, validation, best, seconds
        case rateFactor = "rate_factor"
        case unreadableFiles = "unreadable_files"
    }

    package var validationError: String? {
        validationError(of: epoch, "epoch", in: 1...Limits.count) ?? validationError(
            of: [rateFactor], "rate_factor", in: Limits.finite)
            ?? validationError(of: unreadableFiles, "unreadable_files", in: 0...Limits.count)
            ?? validationError(of: [seconds], "seconds", in: Limits.seconds) ?? train.validationError
            ?? validation?.validationError
    }
}

extension EpochMetrics.Part {
    init(_ tally: Tally) {
        let count = Double(max(tally.sequences, 1))
        self.init(
            loss: tally.loss / count, numberAccuracy: Double(tally.numbers) / count,
            tensAccuracy: Double(tally.tens) / count,
            onesAccuracy: Double(tally.ones) / count, fullAccuracy: tally.full.map { Double($0) / count },
            sequences: tally.sequences)
    }

    init(_ evaluation: Evaluation) {
        let sequences = evaluation.all.sequences
        self.init(
            loss: evaluation.loss, numberAccuracy: sequences.number.value ?? 0,
            tensAccuracy: sequences.tens.value ?? 0,
            onesAccuracy: sequences.ones.value ?? 0, fullAccuracy: sequences.full?.value,
            sequences: sequences.number.count)
    }

    /// The accuracy that selects the best weights: that of numbers. If a digit's loss has weight 0,
    /// it is that of what is trained.
    func accuracy(taughtBy training: TrainingConfig) -> Double {
        switch (training.tensWeight > 0, training.onesWeight > 0) {
        case (true, true): numberAccuracy
        case (true, false): tensAccuracy
        case (false, true): onesAccuracy
        case (false, false): fullAccuracy ?? numberAccuracy
        }
    }
}
