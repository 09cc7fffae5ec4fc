import Foundation
import Jersey
import Testing
import Torch

@testable import JerseyLab

struct DigitPriorTests {
    @Test(arguments: [0.0, 0.1]) func `Where all numbers are alike it is the plain loss`(smoothing: Double) {
        let tens = (
            logits: Tensor.normal([3, 11], deviation: 1, seed: 1), labels: Tensor([Int64(4), 10, 0])
        )
        let ones = (logits: Tensor.normal([3, 10], deviation: 1, seed: 2), labels: Tensor([Int64(8), 7, 5]))
        let prior = DigitPrior(JerseyNumber.all, on: .cpu)
        let losses = [
            (
                prior.tensLoss(tens.logits, tens.labels, beside: ones.labels, smoothing: smoothing),
                crossEntropy(tens.logits, tens.labels, smoothing: smoothing)
            ),
            (
                prior.onesLoss(ones.logits, ones.labels, beside: tens.labels, smoothing: smoothing),
                crossEntropy(ones.logits, ones.labels, smoothing: smoothing)
            ),
        ]
        #expect(losses.allSatisfy { abs($0.item - $1.item) < 1e-5 })
    }

    @Test(arguments: [0.0, 0.1])
    func `A digit that never stands beside another is neither right nor wrong there`(smoothing: Double) {
        let seen = JerseyNumber.all.filter { $0.description != "93" }
        /// The gradients of the logits, if the ones are a 2 beside `tens`.
        func gradients(beside tens: Int) -> [Float] {
            let logits = Tensor.normal([1, 10], deviation: 1, seed: 3)
            logits.requireGradient()
            DigitPrior(seen, on: .cpu)
                .onesLoss(logits, Tensor([Int64(2)]), beside: Tensor([Int64(tens)]), smoothing: smoothing)
                .backward()
            return logits.gradient?.array() ?? []
        }
        #expect(gradients(beside: 9).map { $0 != 0 } == (0..<10).map { $0 != 3 })
        #expect(gradients(beside: 8).allSatisfy { $0 != 0 })
    }

    @Test func `What the shares explain is not learned`() {
        // Three of four numbers with a 4 have a 7, so with uninformative logits the probability is
        // 3/4.
        let numbers = ["47", "47", "47", "41"].compactMap { JerseyNumber($0) }
        let logits = Tensor([Float(0), 0, 0, 0, 0, 0, 0, 0, 0, 0], shape: [1, 10])
        let loss = DigitPrior(numbers, on: .cpu).onesLoss(
            logits, Tensor([Int64(7)]), beside: Tensor([Int64(4)]), smoothing: 0)
        #expect(abs(loss.item + log(0.75)) < 1e-5)
    }
}
