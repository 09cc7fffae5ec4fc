import Foundation
import Jersey
import Torch

/// Sequences with their labels, on the model's device.
package struct LabelledBatch {
    /// (R, 3, H, W) normalised frames, laid out as `JerseyModel` takes them.
    package let frames: Tensor
    package let lengths: [Int]
    package let isPadded: Bool
    /// One for each sequence; nil where none is seen, which only models that sum evidence learn from.
    package let numbers: [JerseyNumber?]

    package init(frames: Tensor, lengths: [Int], isPadded: Bool, numbers: [JerseyNumber?]) {
        self.frames = frames
        self.lengths = lengths
        self.isPadded = isPadded
        self.numbers = numbers
    }
}

/// The losses of a batch before the step. What is a tensor stays on the model's device, which nobody waits for.
package struct StepOutcome {
    package let loss: Double
    package let tensLoss: Tensor
    package let onesLoss: Tensor
    /// Nil where the model does not judge whether frames can be read.
    package let readabilityLoss: Tensor?
    /// Norm of the gradient over all parameters, before clipping.
    package let gradientNorm: Tensor
    package let tally: Tally
}

/// Counts of right answers; of single frames, where a model reads each by itself.
package struct Tally: Codable, Sendable, Equatable, Checked {
    package var sequences = 0
    package var tens = 0
    package var ones = 0
    package var numbers = 0
    /// By the head for the full number; nil without it.
    package var full: Int?
    /// Sum over sequences.
    package var loss = 0.0

    package init() {}

    package var validationError: String? {
        validationError(ofCounts: ["sequences": sequences, "tens": tens, "ones": ones, "numbers": numbers, "full": full ?? 0])
            ?? validationError(of: [loss], "loss", in: Limits.finite)
    }

    package static func += (a: inout Tally, b: Tally) {
        a.sequences += b.sequences
        a.tens += b.tens
        a.ones += b.ones
        a.numbers += b.numbers
        if let full = b.full { a.full = (a.full ?? 0) + full }
        a.loss += b.loss
    }
}

/// Turns batches into better weights: the one place where a batch becomes a gradient.
package final class Learner {
    package let model: JerseyModel
    package let optimizer: Adam
    package private(set) var scaler: GradientScaler?
    /// Optimizer steps done; skipped ones do not count.
    package private(set) var step = 0

    /// What the schedule multiplied the rates with at the last step.
    package var rateFactor: Double { schedule.factor(max(step - 1, 0)) }

    /// Learning rates of the last step in the order of the model's parts, each once.
    package var rates: [Double] {
        var rates: [Double] = []
        for group in optimizer.groups where !rates.contains(group.rate) { rates.append(group.rate) }
        return rates.map { $0 * rateFactor }
    }

    private let config: RunConfig
    private let schedule: Schedule
    private let prior: DigitPrior?
    private let autocast: DType?
    private let trained: [Entry]
    /// Parameters that the study's optimizer does not know of, under `published` only.
    let unoptimized: [Entry]

    /// - Parameter numbers: those of the sequences of an epoch, asked for by logit adjustment only.
    package init(_ model: JerseyModel, _ config: RunConfig, schedule: Schedule, numbers: @autoclosure () -> [JerseyNumber] = []) {
        self.model = model
        self.config = config
        self.schedule = schedule
        prior = config.training.logitAdjustment ? DigitPrior(numbers(), on: model.device) : nil
        autocast = config.training.precision.autocast(on: model.device)
        scaler = autocast == .float16 ? GradientScaler() : nil
        let groups = Self.groups(model, config)
        optimizer = Adam(groups, decoupled: config.optimizer.decoupled)
        let known = Set(groups.flatMap(\.entries).map(\.name))
        trained = model.store.trainable.filter { known.contains($0.name) }
        unoptimized = model.store.trainable.filter { !known.contains($0.name) }
    }

    /// Forward, loss, backward, clip, step, tally.
    ///
    /// - Throws: `TrainingError` when the loss is not finite.
    package func learn(from batch: LabelledBatch) throws -> StepOutcome {
        let pass = Pass.training(seed: config.seed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(step))
        // The study never clears what its optimizer does not know of.
        for entry in trained { entry.tensor.clearGradient() }

        let smoothing = config.training.labelSmoothing
        let (targets, tensLoss, onesLoss, fullLoss, readabilityLoss) = withAutocast(autocast, on: model.device) {
            let targets = model.learningTargets(
                batch.frames, lengths: batch.lengths, isPadded: batch.isPadded, numbers: batch.numbers, pass)
            let (tens, ones) = (targets.labels.tens, targets.labels.ones)
            return (
                targets,
                prior?.tensLoss(targets.tens, tens, beside: ones, smoothing: smoothing)
                    ?? crossEntropy(targets.tens, tens, smoothing: smoothing),
                prior?.onesLoss(targets.ones, ones, beside: tens, smoothing: smoothing)
                    ?? crossEntropy(targets.ones, ones, smoothing: smoothing),
                targets.full.map { crossEntropy($0, targets.labels.full, smoothing: smoothing) },
                targets.readability.map { crossEntropy($0.logits, $0.isRight) }
            )
        }
        var loss = tensLoss * config.training.tensWeight + onesLoss * config.training.onesWeight
        if let fullLoss { loss = loss + fullLoss * config.training.fullWeight }
        if let readabilityLoss { loss = loss + readabilityLoss * config.training.readabilityWeight }
        let value = loss.item
        guard value.isFinite else { throw TrainingError(step: step, loss: value) }

        (scaler.map { loss * $0.scale } ?? loss).backward()
        let isFinite = scaler?.unscale(trained.map(\.tensor)) ?? true
        let norm = clipGradients(of: (trained + unoptimized).map(\.tensor), to: config.optimizer.clip)
        if isFinite {
            optimizer.step(factor: schedule.factor(step), betas: (schedule.beta1(step), 0.999))
            step += 1
        }
        return StepOutcome(
            loss: value, tensLoss: tensLoss, onesLoss: onesLoss, readabilityLoss: readabilityLoss,
            gradientNorm: norm, tally: tally(targets, loss: value))
    }

    private func tally(_ targets: LearningTargets, loss: Double) -> Tally {
        withoutGradients {
            let (isRight, labels) = (LearningTargets.isRight, targets.labels)
            let tens = isRight(targets.tens, labels.tens)
            let ones = isRight(targets.ones, labels.ones)
            let right = [tens, ones, tens * ones] + [targets.full.map { isRight($0, labels.full) }].compactMap(\.self)
            // Read from the device at once.
            let sums = Tensor.concatenated(right.map { $0.sum(over: 0).reshaped(1) }, over: 0).array(of: Double.self)
            let counts = sums.map { Int(clamping: $0) }
            var tally = Tally()
            tally.sequences = tens.count
            tally.tens = counts[0]
            tally.ones = counts[1]
            tally.numbers = counts[2]
            tally.full = counts.count > 3 ? counts[3] : nil
            tally.loss = loss * Double(tens.count)
            return tally
        }
    }

    // MARK: Groups

    /// Every parameter has its part, and so its rate, from birth.
    static func groups(_ model: JerseyModel, _ config: RunConfig) -> [Adam.Group] {
        let settings = config.optimizer
        let discriminative =
            switch settings.rates {
            case .byPhase: model.spec.usesDiscriminativeRates
            case .uniform: false
            case .discriminative: true
            }
        return JerseyModel.Part.allCases.flatMap { part -> [Adam.Group] in
            var entries = model.store.trainable.filter { $0.group == part.rawValue }
            if discriminative && config.published {
                // The study finds attention parameters by the word "attn", and so misses gates, scores and temperatures.
                entries.removeAll { part == .pooling && !$0.name.hasPrefix("attn_") }
            }
            let rate =
                switch part {
                case .encoder: settings.encoderRate
                case .temporal, .pooling: settings.temporalRate
                case .heads: settings.headRate
                }
            let isPlain: (Entry) -> Bool = { settings.excludeNormAndBias && $0.tensor.shape.count < 2 }
            return [
                (part.rawValue, settings.weightDecay, entries.filter { !isPlain($0) }),
                (part.rawValue + " norms and biases", 0, entries.filter(isPlain)),
            ]
            .filter { !$0.2.isEmpty }
            .map { Adam.Group(name: $0.0, rate: discriminative ? rate : settings.rate, decay: $0.1, entries: $0.2) }
        }
    }

    // MARK: State

    /// Numbers to take a run up again with, beside `optimizer.state`.
    package struct State: Codable, Sendable, Equatable {
        package var step: Int
        package var scaler: GradientScaler?
    }

    package var state: State { State(step: step, scaler: scaler) }

    package func restore(_ state: State) {
        step = state.step
        scaler = state.scaler
    }
}

/// A loss that is infinite or not a number: the run stops, since nothing good can come after.
package struct TrainingError: LocalizedError, CustomStringConvertible, Sendable {
    package let step: Int
    package let loss: Double

    package var description: String {
        "the loss is \(loss) at step \(step); try a lower rate (--rate), or --precision float32"
    }
    package var errorDescription: String? { description }
}

extension TrainingPrecision {
    /// What operations that gain from it run in; nil for float32 throughout.
    func autocast(on device: Device) -> DType? {
        switch self {
        case .automatic: device == .cuda ? .float16 : nil
        case .float32: nil
        case .float16: .float16
        case .bfloat16: .bfloat16
        }
    }
}
