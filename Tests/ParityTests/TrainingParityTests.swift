import Foundation
import Jersey
import JerseyLab
import Testing

@testable import Torch

@Suite("Training takes the study's steps", .serialized, .needs(.training))
struct TrainingParityTests {
    // In float64, like the runs of the fixtures. In float32 the processor decides whether a value
    // near zero falls to the other side of a ReLU, and the tolerances do not cover that.
    @Test(
        .needs(.models),
        arguments: try Fixtures.training.cases)
    func `Losses, gradient norms and the weights after the last step are PyTorch's`(
        _ expected: TrainingFixture.Case
    ) throws {
        Runtime.useCallingThreadOnly()
        let model = try JerseyModel.fixture(
            expected.model, published: expected.attentionRule == "hc_reference", dtype: .float64)
        let learner = Learner(model, try config(expected), schedule: constant)
        compareGroups(learner, expected)
        let batch = batch(expected, dtype: .float64)
        for step in expected.loss.indices {
            let outcome = try learner.learn(from: batch)
            func compare(_ value: Double, _ expected: [Double], _ tolerance: [Double], _ what: String) {
                expectClose([value], [expected[step]], within: tolerance[step], "\(what) of step \(step)")
            }
            compare(outcome.loss, expected.loss, expected.lossTolerance, "loss")
            compare(outcome.tensLoss.item, expected.lossTens, expected.lossTensTolerance, "tens loss")
            compare(outcome.onesLoss.item, expected.lossOnes, expected.lossOnesTolerance, "ones loss")
            compare(outcome.gradientNorm.item, expected.gradNorm, expected.gradNormTolerance, "gradient norm")
        }
        // Absent if float32 has drifted too far for a comparison.
        guard let final = expected.finalEval else { return }
        withoutGradients {
            let output = model(batch.frames, lengths: batch.lengths, isPadded: batch.isPadded)
            expectClose(
                output.tens.array(), final.tensLogits.flatMap(\.self), within: final.tolerance,
                "final tens logit")
            expectClose(
                output.ones.array(), final.onesLogits.flatMap(\.self), within: final.tolerance,
                "final ones logit")
        }
    }

    @Test(
        .needs(.models),
        arguments: try Fixtures.training.cases)
    func `In float32 the first step has the same loss and nearly the same gradient`(
        _ expected: TrainingFixture.Case
    ) throws {
        Runtime.useCallingThreadOnly()
        let model = try JerseyModel.fixture(
            expected.model, published: expected.attentionRule == "hc_reference")
        let outcome = try Learner(model, try config(expected), schedule: constant).learn(
            from: batch(expected))
        expectClose([outcome.loss], [expected.loss[0]], within: expected.lossTolerance[0], "loss")
        expectClose(
            [outcome.gradientNorm.item], [expected.gradNorm[0]], within: 1e-3 * expected.gradNorm[0],
            "gradient norm")
    }

    private let constant = Schedule(factor: { _ in 1 }, beta1: { _ in 0.9 })

    private func batch(_ expected: TrainingFixture.Case, dtype: DType = .float32) -> LabelledBatch {
        let rows = FrameRows(
            expected.input, shape: expected.shape, lengths: expected.lengths,
            padded: expected.framesEncoded == "all")
        let numbers = zip(expected.tensLabels, expected.onesLabels).map { JerseyNumber(tens: $0, ones: $1) }
        return LabelledBatch(
            frames: rows.frames.to(dtype: dtype), lengths: rows.lengths, isPadded: rows.isPadded,
            numbers: numbers)
    }

    private func config(_ expected: TrainingFixture.Case) throws -> RunConfig {
        let optimizer = try Fixtures.training.optimizer
        var config = RunConfig()
        config.model = expected.model
        // The study's discriminative rates omit some parameters; `discriminative_complete` is ours.
        config.published = expected.learningRates == "discriminative"
        config.optimizer.rates = expected.learningRates == "uniform" ? .uniform : .discriminative
        config.optimizer.rate = optimizer.lrUniform
        config.optimizer.encoderRate = optimizer.lrBackbone
        config.optimizer.temporalRate = optimizer.lrTemporal
        config.optimizer.headRate = optimizer.lrHeads
        config.optimizer.weightDecay = optimizer.weightDecay
        config.optimizer.clip = optimizer.clipGlobalNorm
        config.training.precision = .float32
        return config
    }

    private func compareGroups(_ learner: Learner, _ expected: TrainingFixture.Case) {
        let names = ["encoder": "backbone", "temporal": "temporal", "pooling": "attention", "heads": "heads"]
        var groups: [String: (rates: Set<Double>, parameters: Int)] = [:]
        for group in learner.optimizer.groups {
            let name = expected.groups.keys.contains("all") ? "all" : names[group.name] ?? group.name
            groups[name, default: ([], 0)].rates.insert(group.rate)
            groups[name]!.parameters += group.entries.reduce(0) { $0 + $1.tensor.count }
        }
        #expect(groups.keys.sorted() == expected.groups.keys.sorted())
        for (name, group) in groups {
            #expect(group.rates == expected.groups[name].map { [$0.lr] }, "rate of \(name)")
            #expect(group.parameters == expected.groups[name]?.parameters, "size of \(name)")
        }
        let trained = Set(learner.optimizer.groups.flatMap(\.entries).map(\.name))
        let forgotten = learner.model.store.trainable.map(\.name).filter { !trained.contains($0) }
        #expect(forgotten.sorted() == expected.forgottenParameters.sorted())
    }

    @Test(arguments: try Fixtures.training.optimizerMicro)
    func `Adam and clipping move two small vectors as PyTorch does`(_ expected: TrainingFixture.Micro) {
        func entry(_ name: String, _ start: [Double]) -> Entry {
            let tensor = Tensor(start.map(Float.init))
            tensor.requireGradient()
            return Entry(name: name, tensor: tensor, group: name, isTrainable: true)
        }
        let (a, b) = (entry("a", expected.startA), entry("b", expected.startB))
        let adam = Adam(
            [
                Adam.Group(name: "a", rate: expected.lrA, decay: expected.weightDecay, entries: [a]),
                Adam.Group(name: "b", rate: expected.lrB, decay: expected.weightDecay, entries: [b]),
            ], epsilon: expected.eps)
        for (index, step) in expected.steps.enumerated() {
            for (entry, gradient) in [(a, step.gradA), (b, step.gradB)] {
                entry.tensor.clearGradient()
                // The gradient of Σ x·g with respect to x is g.
                (entry.tensor * Tensor(gradient.map(Float.init))).sum(over: 0).backward()
            }
            let norm = clipGradients(of: [a.tensor, b.tensor], to: expected.clip).item
            adam.step(betas: (expected.betas[0], expected.betas[1]))
            expectClose([norm], [step.gradNorm], within: 1e-6, "gradient norm of step \(index)")
            expectClose(a.tensor.array(), step.a, within: 1e-6, "step \(index): a")
            expectClose(b.tensor.array(), step.b, within: 1e-6, "step \(index): b")
        }
    }

    @Test(arguments: try Fixtures.training.schedules)
    func `Schedules give PyTorch's factors`(_ expected: TrainingFixture.Schedule) throws {
        let total = expected.epochs * expected.stepsPerEpoch
        let schedule: Schedule
        switch expected.kind {
        case "cosine_warmup":
            schedule = .cosine(
                total: total, warm: try #require(expected.warmupEpochs) * expected.stepsPerEpoch)
        case "onecycle":
            schedule = .oneCycle(total: total, warmFraction: try #require(expected.pctStart))
        default:
            Issue.record("there is no schedule called \(expected.kind)")
            return
        }
        expectClose(
            expected.multiplier.indices.map(schedule.factor), expected.multiplier, within: 1e-7, "factor")
        if let last = expected.multiplierAfterLastStep {
            expectClose([schedule.factor(total)], [last], within: 1e-7, "factor after the end")
        }
        let betas = expected.adamBeta1 ?? expected.multiplier.map { _ in 0.9 }
        expectClose(betas.indices.map(schedule.beta1), betas, within: 1e-7, "beta1")
    }
}
