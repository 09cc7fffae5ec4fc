import Foundation
import Jersey
import Torch

/// How often the numbers that training sees have each digit beside each other.
///
/// A network that sees whole numbers learns which digits go together, and reads none of those that never did. Logit adjustment takes
/// that out of what it learns (Menon et al. 2021, "Long-tail learning via logit adjustment"): in training, and only there, the logits
/// of a digit get the logarithms of the digits' shares beside the other digit of the number, over those that they would have if all
/// ten were alike, so that the network explains what the shares do not. A digit that never stands there takes no part, neither as
/// right nor as wrong. How many numbers have tens at all is learned as ever.
struct DigitPrior {
    /// (10, 11): of the tens beside each ones digit.
    private let tens: Table
    /// (11, 10): of the ones beside each tens digit.
    private let ones: Table

    /// - Parameter numbers: as often as training sees each; at least one.
    init(_ numbers: [JerseyNumber], on device: Device) {
        var counts = Array(repeating: Array(repeating: 0, count: 10), count: 11)
        for number in numbers { counts[number.tens][number.ones] += 1 }
        let blank = Float(counts[JerseyNumber.blank].reduce(0, +)) / Float(numbers.count)
        ones = Table(counts, usual: Array(repeating: 0.1, count: 10), on: device)
        tens = Table(
            (0..<10).map { ones in counts.map { $0[ones] } }, usual: Array(repeating: (1 - blank) / 10, count: 10) + [blank],
            on: device)
    }

    /// Adjusted cross-entropy of logits for tens (B, 11) against labels (B), beside `ones` (B).
    func tensLoss(_ logits: Tensor, _ labels: Tensor, beside ones: Tensor, smoothing: Double) -> Tensor {
        tens.loss(logits, labels, beside: ones, smoothing: smoothing)
    }

    /// Adjusted cross-entropy of logits for ones (B, 10) against labels (B), beside `tens` (B).
    func onesLoss(_ logits: Tensor, _ labels: Tensor, beside tens: Tensor, smoothing: Double) -> Tensor {
        ones.loss(logits, labels, beside: tens, smoothing: smoothing)
    }

    /// A row for each digit, a column for each digit beside it.
    private struct Table {
        /// Logarithms of the shares over the usual ones.
        let logarithms: Tensor
        /// What the smoothed part of a target is spread over: a digit that takes no part must not be asked for either.
        let spread: Tensor

        init(_ counts: [[Int]], usual: [Float], on device: Device) {
            let logarithms = counts.flatMap { row -> [Float] in
                let sum = Float(row.reduce(0, +))
                // What never happens has a logarithm that no logit makes up for, and that float16 still holds.
                return zip(row, usual).map { $0 > 0 ? log(Float($0) / sum / $1) : -10_000 }
            }
            self.logarithms = Tensor(logarithms, shape: [counts.count, usual.count]).to(device: device)
            spread = self.logarithms.softmax(over: 1)
        }

        func loss(_ logits: Tensor, _ labels: Tensor, beside other: Tensor, smoothing: Double) -> Tensor {
            let adjusted = logits + logarithms.indexSelected(0, at: other)
            let loss = crossEntropy(adjusted, labels)
            guard smoothing > 0 else { return loss }
            let even = (spread.indexSelected(0, at: other) * adjusted.logSoftmax(over: 1)).sum(over: 1).mean(over: 0)
            return loss * (1 - smoothing) - even * smoothing
        }
    }
}
