import Jersey

extension SequenceLoader {
    /// As training and evaluation of `config` read frames.
    ///
    /// - Parameter spec: the model of `config`.
    package init(_ config: RunConfig, spec: ModelSpec, training: Bool, cache: FrameCache? = nil) {
        var input = config.data.input
        if training { input.maximumFrames = config.data.trainingFrames ?? input.maximumFrames }
        self.init(input, for: spec, published: config.published, singleFrame: .anchor)
        if training && config.augmentation.frameJitter && !config.published { sampling = .jittered }
        if training && config.augmentation.enabled { augment = Augmentation(config.augmentation).changes }
        self.cache = cache
        strict = config.data.strict
    }
}
