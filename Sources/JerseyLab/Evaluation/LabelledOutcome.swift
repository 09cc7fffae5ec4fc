import Jersey

/// A sequence with a known number, and a run's reading of it.
struct LabelledOutcome: Sendable {
    let outcome: Outcome
    let truth: JerseyNumber
    let prediction: JerseyNumber

    init?(_ outcome: Outcome) {
        guard let truth = outcome.truth.flatMap(JerseyNumber.init),
            let prediction = JerseyNumber(outcome.prediction)
        else {
            return nil
        }
        self.outcome = outcome
        self.truth = truth
        self.prediction = prediction
    }

    var isRight: Bool { truth == prediction }

    /// The predicted probability of a number, 0...1.
    func probability(of number: JerseyNumber) -> Double {
        outcome.tens[number.tens] * outcome.ones[number.ones]
    }
}
