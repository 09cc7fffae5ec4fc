import Foundation
import Torch

/// Everything that decides how a training run goes. Defaults are the study's (report, tables 5 and 6).
///
/// Saved complete as `config.json` in the run folder; a file, the environment and flags overlay the defaults (`ConfigTree`).
public struct RunConfig: Codable, Sendable, Equatable {
    public var model = "attn_bgru_luong"
    /// Another encoder than the model's own.
    public var encoder: EncoderKind?
    /// Units of the recurrent layer in each direction.
    public var hidden = ModelSpec.Temporal.usualHidden
    /// Weights that the encoder starts from: torchvision's `.pth` or safetensors. "{encoder}" in the path stands for the encoder's
    /// name, so that one setting serves all models of an experiment.
    public var pretrained: String?
    /// Weights that the whole model starts from: a file of the same model, or `bundled`.
    public var startFrom: String?
    public var seed: UInt64 = 42
    /// Do as the study did, defects included, so that its tables can be reproduced.
    public var published = false
    public var data = DataConfig()
    public var augmentation = AugmentationConfig()
    public var optimizer = OptimizerConfig()
    public var training = TrainingConfig()

    public init() {}

    public func spec() throws -> ModelSpec {
        var spec = try ModelSpec.named(model, encoder: encoder, hidden: hidden)
        spec.hasFullHead = training.fullWeight > 0
        return spec
    }

    /// Where the encoder's first weights are; nil where they are drawn at random.
    public func pretrainedPath() throws -> String? {
        let encoder = try spec().encoder.rawValue
        return pretrained?.replacing("{encoder}", with: encoder)
    }
}

public struct DataConfig: Codable, Sendable, Equatable {
    public var path = ""
    /// A name of `DatasetFormat.all`.
    public var format = DatasetFormat.folders.name
    /// The numbers to use; all where nil.
    public var classes: [String]?
    /// Pixels.
    public var height = 192
    public var width = 96
    /// Longer sequences are sampled down to so many frames.
    public var maximumFrames = 16
    /// The same for a step of training; `maximumFrames` where nil.
    public var trainingFrames: Int?
    /// Takes in sequences in which no number is seen, so that a model learns when not to answer. Only models that sum evidence can.
    public var unreadable = false
    /// What is shown of whole players; crops of numbers stay as they are. `number` is for models with tied digits: they learn from torsos
    /// to find numbers, and need rendered glances beside them to read what they have found.
    public var wholePlayers = WholePlayers.whole
    /// Train, validation, test; sum 1.
    public var ratios = [0.8, 0.1, 0.1]
    /// Share of the two-digit numbers of which training and validation see nothing: can digits be put together anew? All their
    /// tracks go to test.
    public var heldOutShare = 0.0
    /// What the split is drawn from; the run's seed plays no part, so that all seeds share one split.
    public var splitSeed: UInt64 = 42
    /// Where the split is kept; `splits.json` in the run folder where nil.
    public var splits: String?
    /// Regular expression on the track id ("8/track_001"); tracks with the same match, or the same first capture, stay together.
    public var groupPattern: String?
    /// An unreadable image stops the run instead of being left out.
    public var strict = false
    /// Threads that decode and augment.
    public var workers = 2
    /// Megabytes of decoded frames that may stay in memory.
    public var cacheMegabytes = 0

    public init() {}
}

/// Random changes to training frames, drawn from (seed, epoch, sample). Defaults are the study's.
public struct AugmentationConfig: Codable, Sendable, Equatable {
    public var enabled = true
    /// Factors are drawn from 1 ± this.
    public var brightness = 0.2
    public var contrast = 0.2
    public var saturation = 0.2
    /// Degrees to either side.
    public var rotation = 5.0
    public var blurProbability = 0.3
    /// Pixels; one is drawn.
    public var blurRadii = [1.0, 1.5, 2.0]
    /// Blur along a line, as of a move: pixels, between a shortest and a longest way, in any direction. Not in the study, whose "motion
    /// blur" is the same in all directions.
    public var motionBlurProbability = 0.0
    public var motionBlur = [2.0, 8.0]
    public var noiseProbability = 0.2
    /// Standard deviation, of a 0...1 scale.
    public var noise = [0.01, 0.03]
    /// Zoom factors are drawn from 1 ± this, and shifts up to this share of the size. Not in the study.
    public var zoom = 0.0
    public var shift = 0.0
    /// Lean to either side, degrees; and width relative to height, drawn from 1 ± this. Not in the study.
    public var shear = 0.0
    public var stretch = 0.0
    /// Mirrors a sequence, all its frames alike. Not in the study, which gave it up: a mirrored number is none.
    public var flipProbability = 0.0
    /// One draw for all frames of a sequence, where the study draws for every frame.
    public var perSequence = false
    /// A random frame of each of `maximumFrames` stretches of a long sequence, where the study takes fixed ones; any frame, where a
    /// model reads one and the study takes the anchor.
    public var frameJitter = false

    public init() {}
}

public struct OptimizerConfig: Codable, Sendable, Equatable {
    public enum Rates: String, Codable, Sendable, CaseIterable {
        /// As the study: uniform for single-frame models, discriminative for the others.
        case byPhase = "by-phase"
        case uniform
        case discriminative
    }
    public enum Scheduler: String, Codable, Sendable, CaseIterable {
        case cosine
        case oneCycle = "onecycle"
    }

    public var rates = Rates.byPhase
    /// The uniform rate.
    public var rate = 1e-3
    public var encoderRate = 1e-4
    /// Of recurrent layer and attention.
    public var temporalRate = 3e-4
    public var headRate = 3e-4
    public var weightDecay = 1e-4
    /// AdamW instead of decay added to the gradient.
    public var decoupled = false
    /// No decay on batch norm, biases and temperatures.
    public var excludeNormAndBias = false
    /// Largest global norm of the gradient.
    public var clip = 1.0
    public var scheduler = Scheduler.cosine
    public var warmupEpochs = 1

    public init() {}
}

public struct TrainingConfig: Codable, Sendable, Equatable {
    public enum Precision: String, Codable, Sendable, CaseIterable {
        /// float16 on CUDA, as the study; float32 on the CPU.
        case automatic
        case float32
        case float16
        case bfloat16
    }
    public enum DeviceChoice: String, Codable, Sendable, CaseIterable {
        case automatic
        case cpu
        case cuda
    }
    public enum Balance: String, Codable, Sendable, CaseIterable {
        case none
        /// Each number equally often.
        case numbers
        /// Each track equally often, whatever its number of sequences.
        case tracks
    }

    public var epochs = 30
    public var batchSize = 64
    /// Epochs without a better validation loss before it stops.
    public var patience = 30
    /// Weights of the losses. That of the full number brings the head that it trains; the study gave it up.
    public var tensWeight = 1.0
    public var onesWeight = 1.0
    public var fullWeight = 0.0
    /// Of telling whether a frame is read rightly, in models that sum evidence.
    public var readabilityWeight = 0.3
    public var labelSmoothing = 0.0
    /// Takes out of what is learned which digits go together in the numbers that training sees, for numbers that it does not see.
    public var logitAdjustment = false
    public var balance = Balance.none
    public var precision = Precision.automatic
    public var device = DeviceChoice.automatic
    /// Threads of libtorch; its own choice where nil.
    public var threads: Int?
    /// Steps between saved states within an epoch; at the end of every epoch only where nil.
    public var saveEverySteps: Int?

    public init() {}
}

// MARK: - Checks

extension RunConfig {
    /// - Throws: `UsageError` that names the key, its value, and what is allowed.
    public func validate() throws {
        func require(_ condition: Bool, _ key: String, _ value: Any, _ rule: String) throws {
            guard condition else { throw UsageError("\(key) is \(value); it must be \(rule)") }
        }
        let spec = try self.spec()
        try require(ModelSpec.Temporal.hiddenLimits.contains(hidden), "hidden", hidden, "\(ModelSpec.Temporal.hiddenLimits)")
        guard spec.temporal != nil || hidden == ModelSpec.Temporal.usualHidden else {
            throw UsageError("hidden is for models with a recurrent layer, such as attn_bgru_luong, and not for \(model)")
        }
        guard pretrained == nil || startFrom == nil else {
            throw UsageError(
                "pretrained is where the encoder starts from, and startFrom where all of the model does; use one of them")
        }
        _ = try DatasetFormat.named(data.format)
        let (sides, limits) = (FramePreprocessor.sides, FrameSampling.limits)
        try require(sides.contains(data.height), "data.height", data.height, "\(sides) pixels")
        try require(sides.contains(data.width), "data.width", data.width, "\(sides) pixels")
        try require(limits.contains(data.maximumFrames), "data.maximumFrames", data.maximumFrames, "\(limits)")
        try require(
            data.ratios.count == 3 && data.ratios.allSatisfy { 0...1 ~= $0 } && abs(data.ratios.reduce(0, +) - 1) < 1e-6,
            "data.ratios", data.ratios, "three shares with sum 1, such as [0.8, 0.1, 0.1]")
        try require(
            data.trainingFrames.map(limits.contains) ?? true, "data.trainingFrames", data.trainingFrames ?? 0, "\(limits)"
        )
        if data.unreadable, !spec.judgesReadability {
            throw UsageError("data.unreadable is for models that sum evidence, such as evidence_tied, and not for \(model)")
        }
        if data.wholePlayers == .number, spec.digits != .tied {
            throw UsageError(
                "data.wholePlayers number is for models with tied digits, such as evidence_tied, and not for \(model); use torso")
        }
        if published, let reason = spec.notPublished { throw UsageError("\(reason); leave out published") }
        try require(0..<1 ~= data.heldOutShare, "data.heldOutShare", data.heldOutShare, "0..<1")
        try require((1...256).contains(data.workers), "data.workers", data.workers, "1...256")
        try require(0...(1 << 30) ~= data.cacheMegabytes, "data.cacheMegabytes", data.cacheMegabytes, "0...\(1 << 30)")
        for (key, value) in [
            ("blurProbability", augmentation.blurProbability),
            ("motionBlurProbability", augmentation.motionBlurProbability), ("noiseProbability", augmentation.noiseProbability),
            ("brightness", augmentation.brightness), ("contrast", augmentation.contrast), ("saturation", augmentation.saturation),
            ("zoom", augmentation.zoom), ("shift", augmentation.shift), ("stretch", augmentation.stretch),
            ("flipProbability", augmentation.flipProbability),
        ] {
            try require(0...1 ~= value, "augmentation." + key, value, "0...1")
        }
        try require(0...180 ~= augmentation.rotation, "augmentation.rotation", augmentation.rotation, "0...180 degrees")
        try require(0...60 ~= augmentation.shear, "augmentation.shear", augmentation.shear, "0...60 degrees")
        try require(
            !augmentation.blurRadii.isEmpty && augmentation.blurRadii.allSatisfy { 0...50 ~= $0 }, "augmentation.blurRadii",
            augmentation.blurRadii, "radii of 0...50 pixels")
        try require(
            augmentation.motionBlur.count == 2 && 0 <= augmentation.motionBlur[0]
                && augmentation.motionBlur[0] <= augmentation.motionBlur[1] && augmentation.motionBlur[1] <= 100,
            "augmentation.motionBlur", augmentation.motionBlur, "a shortest and a longest way of 0...100 pixels, such as [2, 8]")
        try require(
            augmentation.noise.count == 2 && augmentation.noise[0] >= 0 && augmentation.noise[0] <= augmentation.noise[1],
            "augmentation.noise", augmentation.noise, "a lowest and a highest deviation, such as [0.01, 0.03]")
        for (key, value) in [
            ("rate", optimizer.rate), ("encoderRate", optimizer.encoderRate), ("temporalRate", optimizer.temporalRate),
            ("headRate", optimizer.headRate),
        ] {
            try require(value > 0 && value < 10, "optimizer." + key, value, "above 0 and below 10")
        }
        try require(0...1 ~= optimizer.weightDecay, "optimizer.weightDecay", optimizer.weightDecay, "0...1")
        try require(optimizer.clip > 0, "optimizer.clip", optimizer.clip, "above 0")
        try require((1...1_000_000).contains(training.epochs), "training.epochs", training.epochs, "1...1000000")
        try require((1...4096).contains(training.batchSize), "training.batchSize", training.batchSize, "1...4096")
        try require(training.patience >= 0, "training.patience", training.patience, "0 or more")
        try require(0..<1 ~= training.labelSmoothing, "training.labelSmoothing", training.labelSmoothing, "0..<1")
        let weights = [
            ("tensWeight", training.tensWeight), ("onesWeight", training.onesWeight), ("fullWeight", training.fullWeight),
        ]
        try require(
            training.readabilityWeight >= 0 && training.readabilityWeight.isFinite, "training.readabilityWeight",
            training.readabilityWeight, "0 or more")
        for (key, value) in weights {
            try require(value >= 0 && value.isFinite, "training." + key, value, "0 or more")
        }
        guard weights.contains(where: { $0.1 > 0 }) else {
            throw UsageError(
                "training.tensWeight, training.onesWeight and training.fullWeight are all 0, so that there is nothing to learn; "
                    + "at least one must be above 0")
        }
        try require(
            training.threads.map { (1...1024).contains($0) } ?? true, "training.threads", training.threads ?? 0, "1...1024")
        try require((training.saveEverySteps ?? 1) >= 1, "training.saveEverySteps", training.saveEverySteps ?? 0, "1 or more")
        try require(
            optimizer.scheduler != .cosine || (0..<max(training.epochs, 1)).contains(optimizer.warmupEpochs),
            "optimizer.warmupEpochs", optimizer.warmupEpochs,
            "fewer than training.epochs (\(training.epochs)), or the rate would never fall; use 0 for a single epoch")
        if let pattern = data.groupPattern { _ = try GroupPattern(pattern) }
    }
}
