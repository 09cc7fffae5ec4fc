import Foundation
import Jersey
import Torch

/// Frequencies of digit pairs in the training numbers, for logit adjustment.
///
/// A network trained on whole numbers learns which digits occur together, and fails on pairs that
/// never did. Logit adjustment prevents that (Menon et al. 2021, "Long-tail learning via logit
/// adjustment"). During training only, it adds to a digit's logits the log ratio of the digit's
/// frequency beside the number's other digit to a uniform frequency. The network then learns only
/// what these frequencies do not explain. A digit that never occurs beside the other is excluded,
/// both as right and as wrong. The share of one-digit numbers is still learned.
struct DigitPrior {
    /// (10, 11): tens beside each ones digit.
    private let tens: Table
    /// (11, 10): ones beside each tens digit.
    private let ones: Table

    /// - Parameter numbers: the numbers of an epoch with repetitions. Must not be empty.
    init(_ numbers: [JerseyNumber], on device: Device) {
        var counts = Array(repeating: Array(repeating: 0, count: 10), count: 11)
        for number in numbers { counts[number.tens][number.ones] += 1 }
        let blank = Float(counts[JerseyNumber.blank].reduce(0, +)) / Float(numbers.count)
        ones = Table(counts, usual: Array(repeating: 0.1, count: 10), on: device)
        tens = Table(
            (0..<10).map { ones in counts.map { $0[ones] } },
            usual: Array(repeating: (1 - blank) / 10, count: 10) + [blank],
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

    /// Log ratios for one digit. Rows are the other digit, columns this digit.
    private struct Table {
        /// Log ratios of the shares to the usual shares.
        let logarithms: Tensor
        /// Distribution of label smoothing. Excluded digits must not receive any of it.
        let spread: Tensor

        init(_ counts: [[Int]], usual: [Float], on device: Device) {
            let logarithms = counts.flatMap { row -> [Float] in
                let sum = Float(row.reduce(0, +))
                // Pairs that never occur get a value that no logit can outweigh and that fits in
                // float16.
                return zip(row, usual).map { $0 > 0 ? log(Float($0) / sum / $1) : -10_000 }
            }
            self.logarithms = Tensor(logarithms, shape: [counts.count, usual.count]).to(device: device)
            spread = self.logarithms.softmax(over: 1)
        }

        func loss(_ logits: Tensor, _ labels: Tensor, beside other: Tensor, smoothing: Double) -> Tensor {
            let adjusted = logits + logarithms.indexSelected(0, at: other)
            let loss = crossEntropy(adjusted, labels)
            guard smoothing > 0 else { return loss }
            let even = (spread.indexSelected(0, at: other) * adjusted.logSoftmax(over: 1)).sum(over: 1).mean(
                over: 0)
            return loss * (1 - smoothing) - even * smoothing
        }
    }
}
