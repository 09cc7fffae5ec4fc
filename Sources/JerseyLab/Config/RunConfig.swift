import Foundation
import Jersey

/// The configuration of a training run. Defaults are the study's (report, tables 5 and 6).
///
/// `Setting.all` documents each property and its allowed values. The run folder keeps the
/// configuration as `config.json`. A file, the environment and flags override the defaults
/// (`ConfigOverlay`).
package struct RunConfig: Sendable, Equatable {
    package var model = "attn_bgru_luong"
    package var encoder: EncoderKind?
    package var hidden = ModelSpec.Temporal.usualHidden
    package var pretrained: String?
    package var startFrom: String?
    package var finder: String?
    package var seed: UInt64 = 42
    package var published = false
    package var data = DataConfig()
    package var augmentation = AugmentationConfig()
    package var optimizer = OptimizerConfig()
    package var training = TrainingConfig()

    package init() {}

    /// The model to train.
    ///
    /// - Throws: `UsageError` if the model does not exist.
    package func spec() throws -> ModelSpec {
        var spec = try ModelSpec.named(model, encoder: encoder, hidden: hidden)
        spec.hasFullHead = training.fullWeight > 0
        return spec
    }

    /// The finder of numbers that the model is trained and kept with; nil if it reads pictures as
    /// they are.
    ///
    /// - Throws: `FileError` if the file is missing or broken.
    func finderNetwork() throws -> FinderNetwork? {
        guard data.wholePlayers == .number else { return nil }
        if let finder { return try Checkpoint.finderNetwork(contentsOf: URL(fileURLWithPath: finder)) }
        let start = startFrom ?? Checkpoint.bundledWord
        return try Checkpoint(named: start).finderNetwork(path: start)
    }

    /// The file with the encoder's initial weights; nil for random ones.
    ///
    /// - Throws: `UsageError` if the model does not exist.
    package func pretrainedPath() throws -> String? {
        let encoder = try spec().encoder.rawValue
        return pretrained?.replacing("{encoder}", with: encoder)
    }
}
