import Jersey

extension SequenceLoader {
    /// A loader for training or evaluation with `config`.
    ///
    /// - Parameters:
    ///   - spec: the model that `config` names.
    ///   - finder: for frames without a true box of the number.
    package init(
        _ config: RunConfig, spec: ModelSpec, training: Bool, cache: FrameCache? = nil,
        finder: NumberFinder? = nil
    ) {
        var input = config.data.input
        if training { input.maximumFrames = config.data.trainingFrames ?? input.maximumFrames }
        self.init(input, for: spec, published: config.published, singleFrame: .anchor)
        if training && config.augmentation.frameJitter && !config.published { sampling = .jittered }
        if training && config.augmentation.enabled { augment = Augmentation(config.augmentation).changes }
        self.cache = cache
        self.finder = finder
        usesTruth = true
        jittersBoxes = training
        strict = config.data.strict
    }
}
