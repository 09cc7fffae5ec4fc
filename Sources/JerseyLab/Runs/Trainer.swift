import Foundation
import Jersey
import JerseyOutput
import Torch

/// One training run, from configuration to result. It can be stopped at any time and resumed.
///
/// Several processes may train together. They learn from every batch together; process 0 does all
/// else, while the others wait.
package final class Trainer {
    package enum Ending: Sendable, Equatable {
        case finished
        /// Stopped on request; the state is saved.
        case stopped
    }

    private let config: RunConfig
    private let folder: RunFolder
    private let group: any ProcessGroup
    private let observer: any TrainingObserver
    private let shouldStop: () -> Bool
    private let patience: Double

    /// - Parameters:
    ///   - group: the processes that train together, each by a trainer of the same configuration.
    ///     Only process 0 writes to the folder and tells its observer; the others need no folder.
    ///   - shouldStop: called after every step. All processes stop if it is true in one.
    ///   - patience: seconds to wait for another process in the folder, which may be about to save
    ///     and stop.
    package init(
        _ config: RunConfig, folder: RunFolder, in group: any ProcessGroup = SingleProcess(),
        observer: any TrainingObserver,
        shouldStop: @escaping () -> Bool = { false },
        patience: Double = 0
    ) {
        self.config = config
        self.folder = folder
        self.group = group
        self.observer = group.isFirst ? observer : NoObserver()
        self.shouldStop = shouldStop
        self.patience = patience
    }

    /// Trains until finished or `shouldStop` returns true. Resumes from the folder's saved state,
    /// if any.
    ///
    /// - Throws: errors of the configuration, the data or the disk, and for losses that are not
    ///   finite.
    package func run() throws -> Ending {
        try config.validate()
        try config.checkDivides(among: group)
        group.timeout = config.training.processTimeout
        if let threads = config.training.threads { Runtime.threads = threads }
        let device = try config.training.device.resolved()
        let spec = try config.spec()
        let dataset = try Dataset(config.data)
        dataset.remarks.forEach(observer.say)
        let finder = try config.finderNetwork()
        let model = JerseyModel(spec, seed: config.seed, published: config.published, device: device)
        var lock: FolderLock?
        defer { withExtendedLifetime(lock) {} }
        let splits = try group.shared {
            // Before anything is written, so that missing weights do not leave a run folder behind.
            if !folder.exists(folder.state) { try loadFirstWeights(into: model) }
            lock = try takeFolder()
            return try writtenSplits(dataset)
        }
        let parts = Parts(dataset, splits)
        try parts.check(observer)
        try parts.checkSame(in: group, config)

        let batches = (parts.train.count + config.training.batchSize - 1) / config.training.batchSize
        let learner = Learner(
            model, config, schedule: schedule(batches: batches), group: group,
            numbers: EpochOrder(config).items(parts.train, epoch: 0).compactMap(\.sequence.number))
        let state = try group.shared {
            var state = try savedState(into: learner, batches: batches) ?? TrainingState()
            state.learner = learner.state
            return state
        }
        learner.share(state.learner)
        let others = group.size > 1 ? " in \(group.size) processes" : ""
        observer.say(
            "\(spec.title): \(model.store.parameterCount) parameters, \(device.displayName)\(others), \(parts.train.count) train / \(parts.val.count) validation / "
                + "\(parts.test.count) test sequences; best by validation number accuracy, early stopping by validation loss"
        )

        let session = Session(
            learner: learner, log: group.isFirst ? try TensorBoardLog(folder, rows: state.rows) : nil,
            parts: parts,
            seen: splits.seenNumbers(in: dataset), batches: batches,
            cache: config.data.cacheMegabytes > 0 ? FrameCache(limit: config.data.cacheMegabytes << 20) : nil,
            finder: finder)
        return try train(from: state, session)
    }

    /// Trains until the last epoch or until the validation loss stops improving, then tests.
    private func train(from start: TrainingState, _ session: Session) throws -> Ending {
        var state = start
        do {
            while state.epoch < config.training.epochs
                && state.epochsWithoutBetterLoss < max(config.training.patience, 1)
            {
                try trainEpoch(&state, session)
                try onFirst { try finishEpoch(&state, session) }
                state = try group.shared { state }
            }
            if state.epoch < config.training.epochs {
                observer.say(
                    "stopped early: no better validation loss in \(state.epochsWithoutBetterLoss) epochs")
            }
            try onFirst { try test(state, session) }
            return .finished
        } catch is Stop {
            if group.isFirst { try state.write(session.learner, to: folder.state) }
            return .stopped
        }
    }

    private func takeFolder() throws -> FolderLock {
        try folder.create()
        let lock = try folder.lock(patience: patience, shouldStop: shouldStop)
        observer.didTake(folder)
        folder.removeLeftovers()
        return lock
    }

    /// The run's splits, written with its configuration.
    private func writtenSplits(_ dataset: Dataset) throws -> Splits {
        let splits = try Splits.forRun(
            dataset, config.data, published: config.published,
            at: config.data.splits.map { URL(fileURLWithPath: $0) } ?? folder.splits)
        try RunFolder.write(config, to: folder.config)
        if config.data.splits != nil { try splits.write(to: folder.splits) }
        return splits
    }

    /// Loads the initial weights that the configuration names; otherwise they stay random.
    private func loadFirstWeights(into model: JerseyModel) throws {
        if let path = config.startFrom {
            try Checkpoint(named: path, spec: model.spec).load(into: model, path: path)
        } else if let path = try config.pretrainedPath() {
            try PretrainedEncoder.load(URL(fileURLWithPath: path), into: model)
        } else if let note = PretrainedEncoder.note([model.spec.encoder], published: config.published) {
            observer.say(note)
        }
    }

    /// The saved state of a stopped run; nil for a new run.
    private func savedState(into learner: Learner, batches: Int) throws -> TrainingState? {
        guard folder.exists(folder.state) else { return nil }
        let state = try TrainingState.read(folder.state, into: learner)
        guard state.batch <= batches else {
            throw FileError(
                folder.state.path, "is after batch \(state.batch) of an epoch with \(batches)",
                advice: "remove the run folder and train again")
        }
        try repair(state)
        observer.say("resuming in epoch \(state.epoch + 1), after \(state.batch) of \(batches) batches")
        return state
    }

    /// Thrown on a stop request, between steps or between the sequences of an evaluation. The state
    /// is that after the last step.
    private struct Stop: Error {}

    /// - Throws: `Stop`, in all processes, if one is asked to stop.
    /// - Returns: whether process 0 has done the work of `onFirst`.
    @discardableResult private func checkStop(isDone: Bool = false) throws -> Bool {
        let sums = group.sums([shouldStop(), isDone].map { $0 ? 1 : 0 })
        if sums[1] > 0 { return true }
        if sums[0] > 0 { throw Stop() }
        return false
    }

    /// Works in process 0. Whenever the work calls `checkStop`, the others do, so that they never
    /// wait for long.
    private func onFirst(_ work: () throws -> Void) throws {
        if group.isFirst {
            try work()
            if group.size > 1 { try checkStop(isDone: true) }
        } else {
            while try !checkStop() {}
        }
    }

    /// Rewrites files that follow from the state, in case they are damaged. Checks the best
    /// weights, which do not follow from it, before more hours are spent.
    private func repair(_ state: TrainingState) throws {
        guard !state.rows.isEmpty else { return }
        try RunFolder.write(lines: state.rows, to: folder.metrics)
        do {
            _ = try Checkpoint(contentsOf: folder.best)
        } catch let error as FileError {
            throw FileError(error.path, error.reason, advice: "remove the run folder and train again")
        }
    }

    /// Values shared by all epochs.
    private struct Session {
        let learner: Learner
        /// Nil in all processes but the first.
        let log: TensorBoardLog?
        let parts: Parts
        /// Numbers that occur in training.
        let seen: Set<JerseyNumber>
        /// Batches per epoch.
        let batches: Int
        let cache: FrameCache?
        /// Nil if the model reads pictures as they are.
        let finder: FinderNetwork?

        func loader(_ config: RunConfig, training: Bool) -> SequenceLoader {
            SequenceLoader(
                config, spec: learner.model.spec, training: training, cache: cache,
                finder: finder.map { NumberFinder($0) })
        }
    }

    private func schedule(batches: Int) -> Schedule {
        let total = batches * config.training.epochs
        return switch config.optimizer.scheduler {
        case .cosine: .cosine(total: total, warm: batches * config.optimizer.warmupEpochs)
        case .oneCycle: .oneCycle(total: total)
        }
    }

    // MARK: Epochs

    private func trainEpoch(_ state: inout TrainingState, _ session: Session) throws {
        let learner = session.learner
        let earlier = state.seconds
        let start = ContinuousClock.now
        let loader = BatchLoader(
            EpochOrder(config).items(session.parts.train, epoch: state.epoch),
            batchSize: config.training.batchSize, part: BatchPart(group.rank, of: group.size),
            loader: session.loader(config, training: true),
            workers: config.data.workers,
            start: state.batch, pads: config.published)
        let before = state.rows.reduce(0) { $0 + $1.seconds }
        var lastReport = start - .seconds(1)
        while let batch = try loader.next() {
            let divided = DividedBatch(
                batch, in: group, device: learner.model.device, syncsNorm: config.training.syncBatchNorm)
            if let own = divided.own { state.tally += try learner.learn(from: own).tally }
            state.unreadableFiles += divided.unreadableFiles
            state.batch += 1
            state.seconds = earlier + (ContinuousClock.now - start).seconds
            observer.didStep(
                epoch: state.epoch + 1, epochs: config.training.epochs, batch: state.batch,
                count: session.batches,
                tally: state.tally)
            if group.isFirst, ContinuousClock.now - lastReport >= .seconds(1) {
                lastReport = .now
                RunProgress(
                    epoch: state.epoch + 1, epochs: config.training.epochs, batch: state.batch,
                    batches: session.batches,
                    seconds: before + state.seconds
                ).write(to: folder.progress)
            }
            try checkStop()
            if let interval = config.training.saveEverySteps, state.batch.isMultiple(of: interval),
                group.isFirst
            {
                try state.write(learner, to: folder.state)
            }
        }
        guard state.tally.sequences > 0 else {
            throw UsageError(
                "no batch of epoch \(state.epoch + 1) can be learned from: batch norm needs more than one frame, or frames of more than 32 pixels, and digits a number; use a larger training.batchSize, larger frames or more sequences"
            )
        }
    }

    /// Validates, keeps the best weights, writes the epoch's row, and saves. In this order,
    /// repeating the epoch repairs a kill between any two steps.
    private func finishEpoch(_ state: inout TrainingState, _ session: Session) throws {
        let start = ContinuousClock.now
        let learner = session.learner
        let (validation, _) = try evaluate(learner.model, session.parts.val, session)
        let measured = validation.all.sequences.number.count > 0 ? EpochMetrics.Part(validation) : nil
        // Without validation sequences the last epoch counts as the best.
        let accuracy = measured?.accuracy(taughtBy: config.training) ?? .infinity
        let isBest = accuracy > state.bestAccuracy || measured == nil
        if isBest {
            state.bestAccuracy = measured == nil ? 0 : accuracy
            var card = Checkpoint.Card(spec: learner.model.spec)
            card.published = config.published
            card.input = config.data.input
            card.numbers = session.seen.sorted()
            card.training = .init(
                seed: config.seed, epoch: state.epoch + 1, validationAccuracy: state.bestAccuracy,
                sequences: session.parts.train.count)
            try Checkpoint.write(
                learner.model, card, finder: session.finder?.store.tensors ?? [:], to: folder.best)
        }
        if validation.loss < state.bestLoss {
            state.bestLoss = validation.loss
            state.epochsWithoutBetterLoss = 0
        } else if measured != nil {
            state.epochsWithoutBetterLoss += 1
        }
        let row = EpochMetrics(
            epoch: state.epoch + 1, rateFactor: learner.rateFactor,
            train: .init(state.tally), validation: measured, unreadableFiles: state.unreadableFiles,
            best: isBest,
            seconds: state.seconds + (ContinuousClock.now - start).seconds)
        state.rows.append(row)
        state.epoch += 1
        state.batch = 0
        state.tally = Tally()
        state.unreadableFiles = 0
        state.seconds = 0
        try RunFolder.write(lines: state.rows, to: folder.metrics)
        try state.write(learner, to: folder.state)
        try session.log?.append(row)
        observer.didFinish(
            FinishedEpoch(
                row: row, epochs: config.training.epochs, rates: learner.rates,
                epochsWithoutBetterLoss: state.epochsWithoutBetterLoss, patience: config.training.patience))
    }

    // MARK: Evaluation

    private func evaluate(
        _ model: JerseyModel, _ sequences: [FrameSequence], _ session: Session
    ) throws -> (Evaluation, [Reading]) {
        let reader = SequenceReader(
            model: model.frozen(),
            loader: session.loader(config, training: false),
            batchSize: config.training.batchSize, workers: config.data.workers)
        let (readings, unreadable) = try reader.readAll(sequences) { try checkStop() }
        let weights = (config.training.tensWeight, config.training.onesWeight, config.training.fullWeight)
        return (
            Evaluation(readings, unreadable: unreadable, seenNumbers: session.seen, weights: weights),
            readings
        )
    }

    /// Tests the best weights and writes the outcomes and the result.
    private func test(_ state: TrainingState, _ session: Session) throws {
        let checkpoint = try Checkpoint(contentsOf: folder.best)
        let model = try checkpoint.model(on: session.learner.model.device, path: folder.best.path)
        var evaluation: Evaluation?
        if !session.parts.test.isEmpty {
            let (measured, readings) = try evaluate(model, session.parts.test, session)
            evaluation = measured
            try RunFolder.write(lines: readings.map(Outcome.init), to: folder.outcomes)
        }
        let best = checkpoint.card.training?.epoch ?? state.epoch
        // The result comes last: it marks the run as finished, and a finished run is not repaired.
        if let evaluation { try session.log?.append(test: EpochMetrics.Part(evaluation), epoch: best) }
        try RunFolder.write(
            RunResult(
                model: model.spec.name, encoder: model.spec.encoder.rawValue,
                parameters: model.store.parameterCount,
                seed: config.seed, published: config.published, epochs: state.rows.count, bestEpoch: best,
                validation: state.rows.first { $0.epoch == best }?.validation, test: evaluation,
                trainSequences: session.parts.train.count, seconds: state.rows.reduce(0) { $0 + $1.seconds },
                device: model.device.description, libtorch: Runtime.version,
                host: ProcessInfo.processInfo.hostName),
            to: folder.result)
        if let evaluation {
            let (sequences, tracks) = (evaluation.all.sequences, evaluation.all.tracks)
            func percent(_ share: Proportion) -> String { Format.percent(share.value, places: 2) }
            observer.say(
                "test, with the weights of epoch \(best): loss \(Format.decimal(evaluation.loss, places: 4)), "
                    + "tens \(percent(sequences.tens)), ones \(percent(sequences.ones)), number \(sequences.number.text) of "
                    + "\(sequences.number.count) sequences and \(tracks.number.text) of \(tracks.number.count) tracks"
            )
        }
    }
}
