import Jersey
import Torch

extension Setting {
    /// All settings. To add one, add a property with its default to `RunConfig` and a row here.
    package static let all = run + data + augmentation + optimizer + training

    private static let run: [Setting] = [
        Setting(
            "model", \.model, in: .parsed("a name that `jersey models` lists") { try ModelSpec.named($0) },
            flag: "--model <name>", "Model to train; `jersey models` lists them."),
        Setting("encoder", \.encoder, flag: "--encoder <name>", "Encoder to use instead of the model's own."),
        Setting(
            "hidden", \.hidden, in: .range(ModelSpec.Temporal.hiddenLimits),
            "Units of the recurrent layer in each direction."),
        Setting(
            "pretrained", \.pretrained, flag: "--pretrained <file>",
            "Initial weights of the encoder (.pth or safetensors); {encoder} in the path stands for the encoder's name."
        ),
        Setting(
            "startFrom", \.startFrom, flag: "--start-from <file>",
            "Weights of the same model to initialise all of it with, for fine-tuning; 'bundled' is the bundled model."
        ),
        Setting(
            "finder", \.finder, flag: "--finder <file>",
            "Weights of the finder of numbers, with data.wholePlayers number (default: that of startFrom, or the bundled one)."
        ),
        Setting("seed", \.seed, flag: "--seed <n>", "Seed of weights, order and augmentation."),
        Setting(
            "published", \.published, flag: "--published",
            "Behave as in the study, including its defects, to reproduce its tables."),
    ]

    private static let data: [Setting] = [
        Setting(
            "data.path", \.data.path, flag: "--data <folder>", machineOnly: true,
            "Data set: a folder, or an archive of one."),
        Setting(
            "data.format", \.data.format,
            in: .name(of: DatasetFormat.self), flag: "--format <name>",
            "Format of the data set: \(DatasetFormat.list)."),
        Setting(
            "data.classes", \.data.classes, flag: "--classes <list>",
            "Numbers to use, such as 4,6,07 (default: all)."),
        Setting(
            "data.height", \.data.input.height, in: .range(FramePreprocessor.sides, "pixels"),
            "Height of the input (--size)."),
        Setting(
            "data.width", \.data.input.width, in: .range(FramePreprocessor.sides, "pixels"),
            "Width of the input (--size)."),
        Setting(
            "data.maximumFrames", \.data.input.maximumFrames, in: .range(FrameSampling.limits),
            flag: "--frames <n>",
            "Maximum number of frames to read per sequence; longer sequences are sampled."),
        Setting(
            "data.trainingFrames", \.data.trainingFrames, in: .orNone(.range(FrameSampling.limits)),
            "The same for training (default: data.maximumFrames)."),
        Setting(
            "data.unreadable", \.data.unreadable,
            "Also train on sequences without a visible number; only for evidence models."),
        Setting(
            "data.wholePlayers", \.data.input.wholePlayers,
            "The part of a picture that the model reads: the whole picture, the torso of a whole player, or the surroundings "
                + "of the number, which a finder locates. Training takes the boxes of rendered frames from their truth."
        ),
        Setting(
            "data.ratios", \.data.ratios,
            in: Allowed("three shares with sum 1, such as [0.8, 0.1, 0.1]") {
                $0.count == 3 && $0.allSatisfy { 0...1 ~= $0 } && abs($0.reduce(0, +) - 1) < 1e-6
            }, "Shares of train, validation and test."),
        Setting(
            "data.heldOutShare", \.data.heldOutShare, in: .range(0..<1),
            "Share of the two-digit numbers to hold out: all their tracks go to test, which measures accuracy on unseen numbers."
        ),
        Setting(
            "data.splitSeed", \.data.splitSeed, "Seed of the split, independent of a run's seed."),
        Setting(
            "data.splits", \.data.splits, flag: "--splits <file>",
            "File of the split; created if missing (default: splits.json in the run folder)."),
        Setting(
            "data.groupPattern", \.data.groupPattern,
            in: .orNone(.parsed("a regular expression") { try GroupPattern($0) }),
            flag: "--group-pattern <regex>",
            "Regular expression on the track id (\"8/track_001\"); tracks with the same match or the same captures stay in one "
                + "part of the split."),
        Setting(
            "data.strict", \.data.strict, flag: "--strict",
            "Stop at the first unreadable image instead of skipping it."),
        Setting(
            "data.workers", \.data.workers, in: .range(BatchLoader.workerLimits), flag: "--workers <n>",
            machineOnly: true,
            "Threads for decoding and augmentation."),
        Setting(
            "data.cacheMegabytes", \.data.cacheMegabytes, in: .range(0...1 << 30), flag: "--cache <n>",
            machineOnly: true,
            "Memory for caching decoded frames, in megabytes."),
    ]

    private static let augmentation: [Setting] = [
        Setting(
            "augmentation.enabled", \.augmentation.enabled, flag: "--plain",
            "Augment training frames; --plain disables it."),
        Setting(
            "augmentation.brightness", \.augmentation.brightness, in: .share,
            "Brightness factors are drawn from 1 ± this."),
        Setting(
            "augmentation.contrast", \.augmentation.contrast, in: .share,
            "Contrast factors are drawn from 1 ± this."),
        Setting(
            "augmentation.saturation", \.augmentation.saturation, in: .share,
            "Saturation factors are drawn from 1 ± this."),
        Setting(
            "augmentation.rotation", \.augmentation.rotation, in: .range(0...180, "degrees"),
            "Maximum rotation to either side."),
        Setting(
            "augmentation.blurProbability", \.augmentation.blurProbability, in: .share,
            "Probability of Gaussian blur in a frame."),
        Setting(
            "augmentation.blurRadii", \.augmentation.blurRadii,
            in: Allowed("radii of 0...50 pixels") { !$0.isEmpty && $0.allSatisfy { 0...50 ~= $0 } },
            "Blur radii, of which one is drawn."),
        Setting(
            "augmentation.motionBlurProbability", \.augmentation.motionBlurProbability, in: .share,
            "Probability of motion blur in a frame. Not in the study."),
        Setting(
            "augmentation.motionBlur", \.augmentation.motionBlur,
            in: Allowed("a minimum and a maximum of 0...100 pixels, such as [2, 8]") {
                $0.count == 2 && 0 <= $0[0] && $0[0] <= $0[1] && $0[1] <= 100
            }, "Minimum and maximum length of the motion, in any direction."),
        Setting(
            "augmentation.noiseProbability", \.augmentation.noiseProbability, in: .share,
            "Probability of noise in a frame."),
        Setting(
            "augmentation.noise", \.augmentation.noise,
            in: Allowed("a minimum and a maximum deviation, such as [0.01, 0.03]") {
                $0.count == 2 && $0[0] >= 0 && $0[0] <= $0[1]
            }, "Minimum and maximum standard deviation of the noise, on a scale of 0...1."),
        Setting(
            "augmentation.zoom", \.augmentation.zoom, in: .share,
            "Zoom factors are drawn from 1 ± this. Not in the study."),
        Setting(
            "augmentation.shift", \.augmentation.shift, in: .share,
            "Maximum shift as a share of the size. Not in the study."),
        Setting(
            "augmentation.shear", \.augmentation.shear, in: .range(0...60, "degrees"),
            "Maximum shear angle. Not in the study."),
        Setting(
            "augmentation.stretch", \.augmentation.stretch, in: .share,
            "Aspect ratio factors are drawn from 1 ± this. Not in the study."),
        Setting(
            "augmentation.flipProbability", \.augmentation.flipProbability, in: .share,
            "Probability of mirroring all frames of a sequence. The study dropped it, because a mirrored number is not a number."
        ),
        Setting(
            "augmentation.perSequence", \.augmentation.perSequence,
            "Use one draw for all frames of a sequence; the study draws for every frame."),
        Setting(
            "augmentation.frameJitter", \.augmentation.frameJitter,
            "Sample frames at random: one from each of data.maximumFrames segments of a long sequence, or any frame for a "
                + "single-frame model. The study takes fixed frames and the anchor."),
    ]

    private static let optimizer: [Setting] = [
        Setting(
            "optimizer.rates", \.optimizer.rates, flag: "--rates <name>",
            "Learning rates: uniform, discriminative (one per part), or by-phase, as in the study (uniform for single frames)."
        ),
        Setting(
            "optimizer.rate", \.optimizer.rate, in: .rate, flag: "--rate <rate>",
            "Learning rate of all parts if uniform; --rate also sets optimizer.rates=uniform."),
        Setting("optimizer.encoderRate", \.optimizer.encoderRate, in: .rate, "Learning rate of the encoder."),
        Setting(
            "optimizer.temporalRate", \.optimizer.temporalRate, in: .rate,
            "Learning rate of the recurrent layer and attention."),
        Setting("optimizer.headRate", \.optimizer.headRate, in: .rate, "Learning rate of the heads."),
        Setting("optimizer.weightDecay", \.optimizer.weightDecay, in: .share, "Weight decay."),
        Setting(
            "optimizer.decoupled", \.optimizer.decoupled,
            "Use AdamW; the study adds the decay to the gradient."),
        Setting(
            "optimizer.excludeNormAndBias", \.optimizer.excludeNormAndBias,
            "Exclude batch norm, biases and temperatures from weight decay."),
        Setting(
            "optimizer.clip", \.optimizer.clip, in: Allowed("above 0") { $0 > 0 },
            "Maximum global norm of the gradient."),
        Setting(
            "optimizer.scheduler", \.optimizer.scheduler, flag: "--scheduler <name>",
            "Learning rate schedule."),
        Setting(
            "optimizer.warmupEpochs", \.optimizer.warmupEpochs, in: .atLeast(0),
            "Epochs of learning rate warm-up."),
    ]

    private static let training: [Setting] = [
        Setting(
            "training.epochs", \.training.epochs, in: .range(1...1_000_000), flag: "--epochs <n>",
            "Number of epochs."),
        Setting(
            "training.batchSize", \.training.batchSize, in: .range(BatchLoader.batchLimits),
            flag: "--batch-size <n>",
            "Sequences per batch."),
        Setting(
            "training.patience", \.training.patience, in: .atLeast(0), flag: "--patience <n>",
            "Epochs without a better validation loss before training stops."),
        Setting("training.tensWeight", \.training.tensWeight, in: .weight, "Weight of the tens loss."),
        Setting("training.onesWeight", \.training.onesWeight, in: .weight, "Weight of the ones loss."),
        Setting(
            "training.fullWeight", \.training.fullWeight, in: .weight,
            "Weight of the full-number loss; above 0 the model gets a head for it, which the study dropped."),
        Setting(
            "training.readabilityWeight", \.training.readabilityWeight, in: .weight,
            "Weight of the readability loss, which learns whether a frame is read correctly; only for evidence models."
        ),
        Setting("training.labelSmoothing", \.training.labelSmoothing, in: .range(0..<1), "Label smoothing."),
        Setting(
            "training.logitAdjustment", \.training.logitAdjustment,
            "Logit adjustment: do not learn which digits occur together in training, to improve accuracy on unseen numbers."
        ),
        Setting(
            "training.balance", \.training.balance,
            "Draw each number or each track equally often, even if some have more sequences."),
        Setting(
            "training.precision", \.training.precision, flag: "--precision <name>",
            "Compute precision; automatic is float16 on a GPU, as in the study, and float32 on the CPU."),
        Setting(
            "training.device", \.training.device, flag: "--device <name>", machineOnly: true,
            "Device to train on."),
        Setting(
            "training.threads", \.training.threads, in: .orNone(.range(Runtime.threadLimits)),
            flag: "--threads <n>",
            machineOnly: true,
            "Threads of libtorch (default: one per core); use fewer if other programs need the cores."),
        Setting(
            "training.saveEverySteps", \.training.saveEverySteps, in: .orNone(.atLeast(1)), machineOnly: true,
            "Steps between saved states within an epoch (default: save only at the end of each epoch)."),
        Setting(
            "training.syncBatchNorm", \.training.syncBatchNorm,
            "With several processes, batch norm takes its statistics over the whole batch. Otherwise each process takes its "
                + "own, and the weights depend on the number of processes."),
        Setting(
            "training.processTimeout", \.training.processTimeout,
            in: Allowed("1 or more seconds") { $0 >= 1 && $0.isFinite }, machineOnly: true,
            "How long a process waits for the others before it ends all, in seconds."),
    ]
}
