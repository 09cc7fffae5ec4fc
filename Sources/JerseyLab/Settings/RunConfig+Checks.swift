import Jersey

extension RunConfig {
    /// Checks each setting on its own, then combinations.
    ///
    /// - Throws: `UsageError` that names the key, its value, and what is allowed.
    package func validate() throws {
        for setting in Setting.all { try setting.check(self) }
        let spec = try self.spec()
        guard spec.temporal != nil || hidden == ModelSpec.Temporal.usualHidden else {
            throw UsageError(
                "hidden applies only to models with a recurrent layer, such as attn_bgru_luong, not to \(model)"
            )
        }
        guard pretrained == nil || startFrom == nil else {
            throw UsageError(
                "use either pretrained, which initialises the encoder, or startFrom, which initialises the whole model"
            )
        }
        guard !data.unreadable || spec.learnsFromUnreadable else {
            throw UsageError(
                "data.unreadable applies only to evidence models, such as evidence_tied, not to \(model)")
        }
        if published, let reason = spec.notPublished { throw UsageError("\(reason); leave out published") }
        guard max(training.tensWeight, training.onesWeight, training.fullWeight) > 0 else {
            throw UsageError(
                "training.tensWeight, training.onesWeight and training.fullWeight are all 0, so there is nothing to learn; "
                    + "at least one must be above 0")
        }
        guard optimizer.scheduler != .cosine || optimizer.warmupEpochs < training.epochs else {
            throw UsageError(
                "optimizer.warmupEpochs is \(optimizer.warmupEpochs); it must be fewer than training.epochs "
                    + "(\(training.epochs)), or the learning rate would never decay; use 0 for a single epoch"
            )
        }
    }

    /// Checks that a resumed run is the same run. Only settings that do not affect its numbers may
    /// differ.
    ///
    /// - Throws: `FileError` that names the first differing setting.
    package func checkContinues(
        _ saved: RunConfig, path: String,
        advice: String = "leave the flag out to continue, or start a new run in another folder"
    ) throws {
        guard let setting = firstDifference(from: saved) else { return }
        throw FileError(
            path, "was begun with \(setting.key) = \(setting.text(in: saved)), not \(setting.text(in: self))",
            advice: advice)
    }

    /// The first setting that differs from `other` and affects the run's numbers; nil if there is
    /// none.
    package func firstDifference(from other: RunConfig) -> Setting? {
        Setting.all.first { !$0.isMachineOnly && !$0.isSame(in: self, and: other) }
    }
}
