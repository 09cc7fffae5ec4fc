import Jersey
import Torch

extension Setting {
    /// Every setting. A new one is a property with its default in `RunConfig`, and a row here.
    package static let all = run + data + augmentation + optimizer + training

    private static let run: [Setting] = [
        Setting(
            "model", \.model, in: .parsed("a name that `jersey models` lists") { try ModelSpec.named($0) },
            flag: "--model <name>", "Model to train; `jersey models` lists them."),
        Setting("encoder", \.encoder, flag: "--encoder <name>", "Another encoder than the model's own."),
        Setting(
            "hidden", \.hidden, in: .range(ModelSpec.Temporal.hiddenLimits), "Units of the recurrent layer in each direction."),
        Setting(
            "pretrained", \.pretrained, flag: "--pretrained <file>",
            "Weights that the encoder starts from (.pth or safetensors); {encoder} in the path stands for the encoder's name."),
        Setting(
            "startFrom", \.startFrom, flag: "--start-from <file>",
            "Weights of the same model that all of it starts from, to tune it to other data; 'bundled' is the bundled model."),
        Setting("seed", \.seed, flag: "--seed <n>", "Seed of weights, order and augmentation."),
        Setting(
            "published", \.published, flag: "--published",
            "Do as the study did, its defects included, so that its tables can be reproduced."),
    ]

    private static let data: [Setting] = [
        Setting(
            "data.path", \.data.path, flag: "--data <folder>", machineOnly: true,
            "Data set: a folder, or an archive of one."),
        Setting(
            "data.format", \.data.format,
            in: .name(of: DatasetFormat.self), flag: "--format <name>", "Format of the data set: \(DatasetFormat.list)."),
        Setting(
            "data.classes", \.data.classes, flag: "--classes <list>", "Numbers to use, such as 4,6,07; all where not given."),
        Setting(
            "data.height", \.data.input.height, in: .range(FramePreprocessor.sides, "pixels"), "Height of the input (--size)."),
        Setting("data.width", \.data.input.width, in: .range(FramePreprocessor.sides, "pixels"), "Width of the input (--size)."),
        Setting(
            "data.maximumFrames", \.data.input.maximumFrames, in: .range(FrameSampling.limits), flag: "--frames <n>",
            "Frames of a sequence that a model reads at most; longer sequences are sampled."),
        Setting(
            "data.trainingFrames", \.data.trainingFrames, in: .orNone(.range(FrameSampling.limits)),
            "The same in training; data.maximumFrames where not given."),
        Setting(
            "data.unreadable", \.data.unreadable,
            "Also learn from sequences in which no number is seen; for models that sum evidence."),
        Setting(
            "data.wholePlayers", \.data.input.wholePlayers,
            "What a model is shown of whole players: all, the torso, or the number that it finds there; crops of numbers stay as "
                + "they are. A model with tied digits that is trained for `number` learns from torsos, and needs rendered "
                + "glances beside them."),
        Setting(
            "data.ratios", \.data.ratios,
            in: Allowed("three shares with sum 1, such as [0.8, 0.1, 0.1]") {
                $0.count == 3 && $0.allSatisfy { 0...1 ~= $0 } && abs($0.reduce(0, +) - 1) < 1e-6
            }, "Shares of train, validation and test."),
        Setting(
            "data.heldOutShare", \.data.heldOutShare, in: .range(0..<1),
            "Share of the two-digit numbers whose tracks all go to test, to see whether digits are put together anew."),
        Setting(
            "data.splitSeed", \.data.splitSeed, "Seed of the split, which is the same for all seeds of a run."),
        Setting(
            "data.splits", \.data.splits, flag: "--splits <file>",
            "Split to use, and where a new one is kept; splits.json in the run folder where not given."),
        Setting(
            "data.groupPattern", \.data.groupPattern,
            in: .orNone(.parsed("a regular expression") { try GroupPattern($0) }), flag: "--group-pattern <regex>",
            "Regular expression on the track id (\"8/track_001\"); tracks with the same match, or the same captures, are kept on "
                + "one side of the split."),
        Setting(
            "data.strict", \.data.strict, flag: "--strict",
            "Stop at the first unreadable image instead of leaving it out."),
        Setting(
            "data.workers", \.data.workers, in: .range(BatchLoader.workerLimits), flag: "--workers <n>", machineOnly: true,
            "Threads that decode and augment."),
        Setting(
            "data.cacheMegabytes", \.data.cacheMegabytes, in: .range(0...1 << 30), flag: "--cache <n>", machineOnly: true,
            "Megabytes of decoded frames to keep in memory."),
    ]

    private static let augmentation: [Setting] = [
        Setting("augmentation.enabled", \.augmentation.enabled, flag: "--plain", "Augment training frames; --plain does not."),
        Setting(
            "augmentation.brightness", \.augmentation.brightness, in: .share, "Factors of brightness are drawn from 1 ± this."),
        Setting("augmentation.contrast", \.augmentation.contrast, in: .share, "Factors of contrast are drawn from 1 ± this."),
        Setting(
            "augmentation.saturation", \.augmentation.saturation, in: .share, "Factors of saturation are drawn from 1 ± this."),
        Setting("augmentation.rotation", \.augmentation.rotation, in: .range(0...180, "degrees"), "Rotation to either side."),
        Setting("augmentation.blurProbability", \.augmentation.blurProbability, in: .share, "How often a frame is blurred."),
        Setting(
            "augmentation.blurRadii", \.augmentation.blurRadii,
            in: Allowed("radii of 0...50 pixels") { !$0.isEmpty && $0.allSatisfy { 0...50 ~= $0 } },
            "Radii of the blur, of which one is drawn."),
        Setting(
            "augmentation.motionBlurProbability", \.augmentation.motionBlurProbability, in: .share,
            "How often a frame is blurred along a line, as by a movement. Not in the study."),
        Setting(
            "augmentation.motionBlur", \.augmentation.motionBlur,
            in: Allowed("a shortest and a longest way of 0...100 pixels, such as [2, 8]") {
                $0.count == 2 && 0 <= $0[0] && $0[0] <= $0[1] && $0[1] <= 100
            }, "Shortest and longest way of that movement, in any direction."),
        Setting("augmentation.noiseProbability", \.augmentation.noiseProbability, in: .share, "How often a frame gets noise."),
        Setting(
            "augmentation.noise", \.augmentation.noise,
            in: Allowed("a lowest and a highest deviation, such as [0.01, 0.03]") {
                $0.count == 2 && $0[0] >= 0 && $0[0] <= $0[1]
            }, "Lowest and highest standard deviation of the noise, on a scale of 0...1."),
        Setting("augmentation.zoom", \.augmentation.zoom, in: .share, "Zoom factors are drawn from 1 ± this. Not in the study."),
        Setting(
            "augmentation.shift", \.augmentation.shift, in: .share, "Shifts go up to this share of the size. Not in the study."),
        Setting(
            "augmentation.shear", \.augmentation.shear, in: .range(0...60, "degrees"), "Lean to either side. Not in the study."),
        Setting(
            "augmentation.stretch", \.augmentation.stretch, in: .share,
            "Widths relative to the height are drawn from 1 ± this. Not in the study."),
        Setting(
            "augmentation.flipProbability", \.augmentation.flipProbability, in: .share,
            "How often all frames of a sequence are mirrored. Not in the study, which gave it up: a mirrored number is none."),
        Setting(
            "augmentation.perSequence", \.augmentation.perSequence,
            "One draw for all frames of a sequence, where the study draws for every frame."),
        Setting(
            "augmentation.frameJitter", \.augmentation.frameJitter,
            "A random frame of each of data.maximumFrames stretches of a long sequence, where the study takes fixed ones; any "
                + "frame for a model that reads one, where the study takes the anchor."),
    ]

    private static let optimizer: [Setting] = [
        Setting(
            "optimizer.rates", \.optimizer.rates, flag: "--rates <name>",
            "Learning rates: one for everything, one for each part, or as the study has them: one for single-frame models."),
        Setting(
            "optimizer.rate", \.optimizer.rate, in: .rate, flag: "--rate <rate>",
            "The learning rate for everything; --rate also sets optimizer.rates=uniform."),
        Setting("optimizer.encoderRate", \.optimizer.encoderRate, in: .rate, "Learning rate of the encoder."),
        Setting(
            "optimizer.temporalRate", \.optimizer.temporalRate, in: .rate,
            "Learning rate of the recurrent layer and of attention."),
        Setting("optimizer.headRate", \.optimizer.headRate, in: .rate, "Learning rate of the heads."),
        Setting("optimizer.weightDecay", \.optimizer.weightDecay, in: .share, "Weight decay."),
        Setting(
            "optimizer.decoupled", \.optimizer.decoupled, "AdamW, where the study adds the decay to the gradient."),
        Setting(
            "optimizer.excludeNormAndBias", \.optimizer.excludeNormAndBias,
            "No weight decay on batch norm, biases and temperatures."),
        Setting(
            "optimizer.clip", \.optimizer.clip, in: Allowed("above 0") { $0 > 0 }, "Largest global norm of the gradient."),
        Setting("optimizer.scheduler", \.optimizer.scheduler, flag: "--scheduler <name>", "Schedule of the learning rates."),
        Setting(
            "optimizer.warmupEpochs", \.optimizer.warmupEpochs, in: .atLeast(0),
            "Epochs in which the rates rise to their full height."),
    ]

    private static let training: [Setting] = [
        Setting("training.epochs", \.training.epochs, in: .range(1...1_000_000), flag: "--epochs <n>", "Epochs."),
        Setting(
            "training.batchSize", \.training.batchSize, in: .range(BatchLoader.batchLimits), flag: "--batch-size <n>",
            "Sequences in a batch."),
        Setting(
            "training.patience", \.training.patience, in: .atLeast(0), flag: "--patience <n>",
            "Epochs without a better validation loss before training stops."),
        Setting("training.tensWeight", \.training.tensWeight, in: .weight, "Weight of the loss of the tens."),
        Setting("training.onesWeight", \.training.onesWeight, in: .weight, "Weight of the loss of the ones."),
        Setting(
            "training.fullWeight", \.training.fullWeight, in: .weight,
            "Weight of the loss of the full number; above 0 the model has a head for it, which the study gave up."),
        Setting(
            "training.readabilityWeight", \.training.readabilityWeight, in: .weight,
            "Weight of the loss of telling whether a frame is read rightly, in models that sum evidence."),
        Setting("training.labelSmoothing", \.training.labelSmoothing, in: .range(0..<1), "Label smoothing."),
        Setting(
            "training.logitAdjustment", \.training.logitAdjustment,
            "Do not learn which digits go together in training's numbers, for the sake of numbers that it does not have."),
        Setting(
            "training.balance", \.training.balance,
            "Draw each number, or each track, equally often, where some have more sequences than others."),
        Setting(
            "training.precision", \.training.precision, flag: "--precision <name>",
            "Arithmetic; automatic is float16 on a GPU, as in the study, and float32 on the CPU."),
        Setting(
            "training.device", \.training.device, flag: "--device <name>", machineOnly: true, "Where to compute."),
        Setting(
            "training.threads", \.training.threads, in: .orNone(.range(Runtime.threadLimits)), flag: "--threads <n>",
            machineOnly: true,
            "Threads of libtorch (default: one on each core); fewer where other programs want the cores."),
        Setting(
            "training.saveEverySteps", \.training.saveEverySteps, in: .orNone(.atLeast(1)), machineOnly: true,
            "Steps between saved states within an epoch; only the end of every epoch where not given."),
    ]
}
