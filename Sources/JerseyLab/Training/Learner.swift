import Foundation
import Jersey
import Torch

/// Sequences with labels, on the model's device.
package struct LabelledBatch {
    /// Normalised frames (R, 3, H, W) in the layout that `JerseyModel` takes.
    package let frames: Tensor
    package let lengths: [Int]
    package let isPadded: Bool
    /// One per sequence; nil if no number is visible. Only evidence models learn from nil.
    package let numbers: [JerseyNumber?]
    /// This process's frames among those of all; nil if it has all of them.
    package let share: BatchShare?

    package init(
        frames: Tensor, lengths: [Int], isPadded: Bool, numbers: [JerseyNumber?], share: BatchShare? = nil
    ) {
        self.frames = frames
        self.lengths = lengths
        self.isPadded = isPadded
        self.numbers = numbers
        self.share = share
    }
}

/// The losses of a batch before the step. Tensors stay on the model's device to avoid
/// synchronisation, and are of this process's part of the batch.
package struct StepOutcome {
    /// The whole batch's.
    package let loss: Double
    package let tensLoss: Tensor
    package let onesLoss: Tensor
    /// Nil if the model has no readability head.
    package let readabilityLoss: Tensor?
    /// Norm of the gradient over all parameters, before clipping.
    package let gradientNorm: Tensor
    /// The whole batch's.
    package let tally: Tally
}

/// Counts of right answers. They count single frames for models that read each frame alone.
package struct Tally: Codable, Sendable, Equatable, Checked {
    package var sequences = 0
    package var tens = 0
    package var ones = 0
    package var numbers = 0
    /// Right answers of the full-number head; nil without one.
    package var full: Int?
    /// Summed over sequences.
    package var loss = 0.0

    package init() {}

    package var validationError: String? {
        validationError(ofCounts: [
            "sequences": sequences, "tens": tens, "ones": ones, "numbers": numbers, "full": full ?? 0,
        ])
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

/// Trains the model on batches. No other code computes gradients.
package final class Learner {
    package let model: JerseyModel
    package let optimizer: Adam
    package private(set) var scaler: GradientScaler?
    /// Completed optimizer steps, without skipped ones.
    package private(set) var step = 0

    /// The schedule's factor on the learning rates at the last step.
    package var rateFactor: Double { schedule.factor(max(step - 1, 0)) }

    /// Learning rates at the last step, without duplicates, in the order of the model's parts.
    package var rates: [Double] {
        var rates: [Double] = []
        for group in optimizer.groups where !rates.contains(group.rate) { rates.append(group.rate) }
        return rates.map { $0 * rateFactor }
    }

    private let config: RunConfig
    private let group: any ProcessGroup
    private let schedule: Schedule
    private let prior: DigitPrior?
    private let autocast: DType?
    private let trained: [Entry]
    /// Parameters that the study's optimizer misses; empty unless `published` is set.
    let unoptimized: [Entry]

    /// - Parameters:
    ///   - group: the processes that learn together. Their models are equal, and stay so.
    ///   - numbers: the numbers of an epoch's sequences. Only logit adjustment evaluates them.
    package init(
        _ model: JerseyModel, _ config: RunConfig, schedule: Schedule,
        group: any ProcessGroup = SingleProcess(), numbers: @autoclosure () -> [JerseyNumber] = []
    ) {
        self.model = model
        self.config = config
        self.group = group
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

    /// Forward, loss, backward, sums over all processes, clip, step.
    ///
    /// - Parameter batch: this process's part of the batch.
    /// - Throws: `TrainingError` if the loss is not finite.
    package func learn(from batch: LabelledBatch) throws -> StepOutcome {
        let pass = Pass.training(
            seed: config.seed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(step), share: batch.share,
            statisticsOver: group.size > 1 && config.training.syncBatchNorm ? group : nil)
        // The study never clears gradients that its optimizer misses.
        for entry in trained { entry.tensor.clearGradient() }

        let smoothing = config.training.labelSmoothing
        let (targets, tensLoss, onesLoss, fullLoss, readabilityLoss) = withAutocast(
            autocast, on: model.device
        ) {
            let targets = model.learningTargets(
                batch.frames, lengths: batch.lengths, isPadded: batch.isPadded, numbers: batch.numbers, pass)
            let (tens, ones) = (targets.labels.tens, targets.labels.ones)
            let part = LossShares(targets, of: batch, in: group)
            return (
                targets,
                part.ofRows(targets.tens) {
                    prior?.tensLoss($0, tens, beside: ones, smoothing: smoothing)
                        ?? crossEntropy($0, tens, smoothing: smoothing)
                },
                part.ofRows(targets.ones) {
                    prior?.onesLoss($0, ones, beside: tens, smoothing: smoothing)
                        ?? crossEntropy($0, ones, smoothing: smoothing)
                },
                targets.full.map {
                    part.ofRows($0) { crossEntropy($0, targets.labels.full, smoothing: smoothing) }
                },
                targets.readability.map { readability in
                    part.ofFrames(readability.logits) { crossEntropy($0, readability.isRight) }
                }
            )
        }
        var loss = tensLoss * config.training.tensWeight + onesLoss * config.training.onesWeight
        if let fullLoss { loss = loss + fullLoss * config.training.fullWeight }
        if let readabilityLoss { loss = loss + readabilityLoss * config.training.readabilityWeight }
        let own = (loss: loss.item, tally: batch.share?.counts == false ? Tally() : tally(targets))
        withExtendedLifetime(pass) { (scaler.map { loss * $0.scale } ?? loss).backward() }
        let (value, tally) = sumOverProcesses(own.loss, own.tally)
        guard value.isFinite else { throw TrainingError(step: step, loss: value) }
        let isFinite = scaler?.unscale(trained.map(\.tensor)) ?? true
        let norm = clipGradients(of: (trained + unoptimized).map(\.tensor), to: config.optimizer.clip)
        if isFinite {
            optimizer.step(factor: schedule.factor(step), betas: (schedule.beta1(step), 0.999))
            step += 1
        }
        return StepOutcome(
            loss: value, tensLoss: tensLoss, onesLoss: onesLoss, readabilityLoss: readabilityLoss,
            gradientNorm: norm, tally: tally)
    }

    /// Adds up gradients, loss and tally over all processes. The batch's loss, a mean, is then
    /// also part of the tally.
    private func sumOverProcesses(_ loss: Double, _ own: Tally) -> (loss: Double, tally: Tally) {
        let counts = [own.sequences, own.tens, own.ones, own.numbers, own.full ?? 0].map(Double.init)
        let sums = group.sumGradients(of: trained.map(\.tensor), with: [loss] + counts)
        var tally = Tally()
        (tally.sequences, tally.tens, tally.ones) = (Int(sums[1]), Int(sums[2]), Int(sums[3]))
        tally.numbers = Int(sums[4])
        tally.full = model.spec.hasFullHead ? Int(sums[5]) : nil
        tally.loss = sums[0] * sums[1]
        return (sums[0], tally)
    }

    private func tally(_ targets: LearningTargets) -> Tally {
        withoutGradients {
            let (isRight, labels) = (LearningTargets.isRight, targets.labels)
            let tens = isRight(targets.tens, labels.tens)
            let ones = isRight(targets.ones, labels.ones)
            let right =
                [tens, ones, tens * ones] + [targets.full.map { isRight($0, labels.full) }].compactMap(\.self)
            // One transfer from the device instead of several.
            let sums = Tensor.concatenated(right.map { $0.sum(over: 0).reshaped(1) }, over: 0).array(
                of: Double.self)
            let counts = sums.map { Int(clamping: $0) }
            var tally = Tally()
            tally.sequences = tens.count
            tally.tens = counts[0]
            tally.ones = counts[1]
            tally.numbers = counts[2]
            tally.full = counts.count > 3 ? counts[3] : nil
            return tally
        }
    }

    // MARK: Groups

    /// Parameter groups by model part. A parameter is assigned to its part, and so to its rate,
    /// when it is created.
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
                // The study finds attention parameters by the prefix "attn", and so misses gates,
                // scores and temperatures.
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
            .map {
                Adam.Group(
                    name: $0.0, rate: discriminative ? rate : settings.rate, decay: $0.1, entries: $0.2)
            }
        }
    }

    // MARK: State

    /// The state to resume a run with, in addition to `optimizer.state`.
    package struct State: Codable, Sendable, Equatable {
        package var step: Int
        package var scaler: GradientScaler?
    }

    package var state: State { State(step: step, scaler: scaler) }

    package func restore(_ state: State) {
        step = state.step
        scaler = state.scaler
    }

    /// Gives all processes the weights and moments of process 0, and this state, which is its.
    package func share(_ state: State) {
        restore(state)
        group.broadcast(model.store.entries.map(\.tensor))
        group.broadcast(optimizer.state.sorted { $0.key < $1.key }.map(\.value))
    }
}

/// The loss is infinite or NaN. The run stops, because training cannot recover.
package struct TrainingError: LocalizedError, CustomStringConvertible, Sendable {
    package let step: Int
    package let loss: Double

    package var description: String {
        "the loss is \(loss) at step \(step); try a lower learning rate (--rate) or --precision float32"
    }
    package var errorDescription: String? { description }
}

extension TrainingPrecision {
    /// The type of operations that benefit from lower precision; nil for float32 throughout.
    func autocast(on device: Device) -> DType? {
        switch self {
        case .automatic: device == .cuda ? .float16 : nil
        case .float32: nil
        case .float16: .float16
        case .bfloat16: .bfloat16
        }
    }
}
