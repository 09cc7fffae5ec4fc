import Foundation
import Jersey
import Torch

/// A sequence whose number is known, and what a run read in it.
struct LabelledOutcome: Sendable {
    let outcome: Outcome
    let truth: JerseyNumber
    let prediction: JerseyNumber

    init?(_ outcome: Outcome) {
        guard let truth = outcome.truth.flatMap(JerseyNumber.init), let prediction = JerseyNumber(outcome.prediction) else {
            return nil
        }
        (self.outcome, self.truth, self.prediction) = (outcome, truth, prediction)
    }

    var isRight: Bool { truth == prediction }

    /// 0...1.
    func probability(of number: JerseyNumber) -> Double { outcome.tens[number.tens] * outcome.ones[number.ones] }
}

extension FinishedRun {
    /// Sequences with a label.
    var labelled: [LabelledOutcome] { outcomes.compactMap(LabelledOutcome.init) }

    /// The share of numbers that are read rightly among them; nil where there are none.
    var accuracy: Double? {
        let labelled = labelled
        return Proportion(labelled.count(where: \.isRight), of: labelled.count).value
    }
}

extension RunGroup {
    /// The name as a part of a file's.
    var fileName: String { String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }) }
}
