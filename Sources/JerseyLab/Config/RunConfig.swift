import Jersey

/// Everything that decides how a training run goes. Defaults are the study's (report, tables 5 and 6).
///
/// `Setting.all` says what each property means and what it may be. The whole is saved as `config.json` in the run folder; a file, the
/// environment and flags are laid over the defaults (`ConfigOverlay`).
package struct RunConfig: Sendable, Equatable {
    package var model = "attn_bgru_luong"
    package var encoder: EncoderKind?
    package var hidden = ModelSpec.Temporal.usualHidden
    package var pretrained: String?
    package var startFrom: String?
    package var seed: UInt64 = 42
    package var published = false
    package var data = DataConfig()
    package var augmentation = AugmentationConfig()
    package var optimizer = OptimizerConfig()
    package var training = TrainingConfig()

    package init() {}

    /// The model that is trained.
    ///
    /// - Throws: `UsageError` where there is no such model.
    package func spec() throws -> ModelSpec {
        var spec = try ModelSpec.named(model, encoder: encoder, hidden: hidden)
        spec.hasFullHead = training.fullWeight > 0
        return spec
    }

    /// Where the encoder's first weights are; nil where they are drawn at random.
    ///
    /// - Throws: `UsageError` where there is no such model.
    package func pretrainedPath() throws -> String? {
        let encoder = try spec().encoder.rawValue
        return pretrained?.replacing("{encoder}", with: encoder)
    }
}
