import Foundation
import TestSupport
import Testing

@testable import Torch

@Suite("Adam and its schedules")
struct OptimizerTests {
    private func entry(_ name: String, _ values: [Float]) -> Entry {
        let tensor = Tensor(values)
        tensor.requireGradient()
        return Entry(name: name, tensor: tensor, group: "", isTrainable: true)
    }

    /// The formulas of the papers, for a single value.
    private struct Reference {
        var value: Double
        var mean = 0.0
        var variance = 0.0
        var steps = 0

        mutating func step(
            _ gradient: Double, rate: Double, decay: Double, decoupled: Bool, betas: (Double, Double)
        ) {
            steps += 1
            if decoupled { value -= rate * decay * value }
            let g = decoupled ? gradient : gradient + decay * value
            mean = betas.0 * mean + (1 - betas.0) * g
            variance = betas.1 * variance + (1 - betas.1) * g * g
            let corrected = (
                mean / (1 - pow(betas.0, Double(steps))), variance / (1 - pow(betas.1, Double(steps)))
            )
            value -= rate * corrected.0 / (corrected.1.squareRoot() + 1e-8)
        }
    }

    @Test(arguments: [false, true])
    func `Adam follows its formula, decay in the gradient or apart from it`(_ decoupled: Bool) {
        let start: [Float] = [1, -2, 0.5]
        let (a, b) = (entry("a", start), entry("b", start))
        let adam = Adam(
            [
                .init(name: "fast", rate: 0.1, decay: 0.2, entries: [a]),
                .init(name: "slow", rate: 0.01, decay: 0, entries: [b]),
            ],
            decoupled: decoupled)
        var references = [start, start].map { $0.map { Reference(value: Double($0)) } }
        for step in 1...5 {
            let gradient = start.map { Float(step) * $0 * $0 - 0.3 }
            for entry in [a, b] { entry.tensor.setGradient(Tensor(gradient)) }
            let (factor, betas) = (1 / Double(step), (0.9 - 0.01 * Double(step), 0.999))
            adam.step(factor: factor, betas: betas)
            for (index, (rate, decay)) in [(0.1, 0.2), (0.01, 0)].enumerated() {
                for place in start.indices {
                    references[index][place].step(
                        Double(gradient[place]), rate: rate * factor, decay: decay, decoupled: decoupled,
                        betas: betas)
                }
            }
        }
        #expect(isClose(a.tensor.floats, references[0].map { Float($0.value) }))
        #expect(isClose(b.tensor.floats, references[1].map { Float($0.value) }))
    }

    @Test func `A parameter without gradient stays where it is`() {
        let (a, b) = (entry("a", [1]), entry("b", [1]))
        let adam = Adam([.init(name: "", rate: 0.1, decay: 0.5, entries: [a, b])])
        a.tensor.setGradient(Tensor([1] as [Float]))
        adam.step()
        #expect(a.tensor.floats != [1] && b.tensor.floats == [1] && adam.state["b.steps"]!.item == 0)
    }

    @Test func `A restored state continues bit for bit, and what is missing is named`() {
        func made() -> (Entry, Adam) {
            let entry = entry("w", [1, 2])
            return (entry, Adam([.init(name: "", rate: 0.1, decay: 0, entries: [entry])]))
        }
        func step(_ entry: Entry, _ adam: Adam, _ gradient: [Float]) {
            entry.tensor.setGradient(Tensor(gradient))
            adam.step()
        }
        let (one, adam) = made()
        step(one, adam, [0.5, -3])
        let (two, other) = made()
        two.tensor.copy(from: one.tensor)
        #expect(other.restore(adam.state).isEmpty)
        step(one, adam, [1, 1])
        step(two, other, [1, 1])
        #expect(one.tensor.floats == two.tensor.floats)
        var broken = adam.state
        broken["w.mean"] = nil
        broken["w.variance"] = Tensor([1] as [Float])
        #expect(other.restore(broken).sorted() == ["w.mean", "w.variance"])
    }

    @Test func `Cosine warms up in a line, uses the peak twice, and ends above zero`() {
        let schedule = Schedule.cosine(total: 10, warm: 4)
        let factors = (0..<10).map(schedule.factor)
        #expect(factors.prefix(5) == [0.25, 0.5, 0.75, 1, 1])
        #expect(zip(factors.dropFirst(4), factors.dropFirst(5)).allSatisfy { $0 > $1 })
        #expect(abs(factors[9] - 0.5 * (1 + cos(.pi * 5 / 6))) < 1e-12 && factors[9] > 0)
        #expect(Schedule.cosine(total: 3, warm: 0).factor(0) == 1 && schedule.beta1(5) == 0.9)
    }

    /// `torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=12)`.
    @Test func `One-cycle is PyTorch's, rate and momentum`() {
        let expected = [
            (0.04, 0.95), (0.3497896542, 0.9177302444), (0.8792851591, 0.8625744626),
            (0.9944154355, 0.8505584587),
            (0.9330129698, 0.8566987298), (0.8117456539, 0.8688255099), (0.647378997, 0.8852622413),
            (0.4626371027, 0.9037365047),
            (0.2830609982, 0.9216941869), (0.1334775302, 0.9366525936), (0.0345669874, 0.9465436874),
            (4e-06, 0.95),
        ]
        let schedule = Schedule.oneCycle(total: 12)
        for (step, (factor, beta)) in expected.enumerated() {
            #expect(abs(schedule.factor(step) - factor) < 1e-9 && abs(schedule.beta1(step) - beta) < 1e-9)
        }
    }

    @Test(arguments: 1...12)
    func `Every schedule stays within 0...1 and is finite, however short training is`(_ total: Int) {
        for schedule in [Schedule.oneCycle(total: total)]
            + (0..<total).map({ .cosine(total: total, warm: $0) })
        {
            for step in 0..<total {
                #expect(0...1.000_001 ~= schedule.factor(step) && 0.8499...0.9501 ~= schedule.beta1(step))
            }
        }
    }
}
