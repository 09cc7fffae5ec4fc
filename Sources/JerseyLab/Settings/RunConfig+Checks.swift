import Jersey

extension RunConfig {
    /// Checks each setting by its row of the table, and then those that go together.
    ///
    /// - Throws: `UsageError` that names the key, its value, and what is allowed.
    package func validate() throws {
        for setting in Setting.all { try setting.check(self) }
        let spec = try self.spec()
        guard spec.temporal != nil || hidden == ModelSpec.Temporal.usualHidden else {
            throw UsageError("hidden is for models with a recurrent layer, such as attn_bgru_luong, and not for \(model)")
        }
        guard pretrained == nil || startFrom == nil else {
            throw UsageError(
                "pretrained is where the encoder starts from, and startFrom where all of the model does; use one of them")
        }
        guard !data.unreadable || spec.learnsFromUnreadable else {
            throw UsageError("data.unreadable is for models that sum evidence, such as evidence_tied, and not for \(model)")
        }
        guard data.wholePlayers != .number || spec.locatesNumbers else {
            throw UsageError(
                "data.wholePlayers number is for models with tied digits, such as evidence_tied, and not for \(model); "
                    + "use torso")
        }
        if published, let reason = spec.notPublished { throw UsageError("\(reason); leave out published") }
        guard max(training.tensWeight, training.onesWeight, training.fullWeight) > 0 else {
            throw UsageError(
                "training.tensWeight, training.onesWeight and training.fullWeight are all 0, so that there is nothing to learn; "
                    + "at least one must be above 0")
        }
        guard optimizer.scheduler != .cosine || optimizer.warmupEpochs < training.epochs else {
            throw UsageError(
                "optimizer.warmupEpochs is \(optimizer.warmupEpochs); it must be fewer than training.epochs "
                    + "(\(training.epochs)), or the rate would never fall; use 0 for a single epoch")
        }
    }

    /// A run that is taken up again must be the same run: only what does not change its numbers may differ.
    ///
    /// - Throws: `FileError` that names the first setting that differs.
    package func checkContinues(
        _ saved: RunConfig, path: String, advice: String = "leave the flag out to go on, or begin a new run in another folder"
    ) throws {
        guard let setting = firstDifference(from: saved) else { return }
        throw FileError(
            path, "was begun with \(setting.key) = \(setting.text(in: saved)), not \(setting.text(in: self))",
            advice: advice)
    }

    /// The first setting in which another run's numbers would differ from this one's; nil where none does.
    package func firstDifference(from other: RunConfig) -> Setting? {
        Setting.all.first { !$0.isMachineOnly && !$0.isSame(in: self, and: other) }
    }
}
