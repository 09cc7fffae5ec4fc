import Foundation
import Jersey
import TestSupport
import Testing
import Torch

@testable import JerseyLab

@Suite(.serialized) struct ProcessTests {
    @Test(
        arguments: [
            ([:], ProcessLaunch.alone),
            (["OMPI_COMM_WORLD_SIZE": "1"], .alone), (["OMPI_COMM_WORLD_SIZE": "2"], .openMPI),
            (["OMPI_COMM_WORLD_SIZE": "2", "PMI_RANK": "0", "PMIX_RANK": "1"], .openMPI),
            (["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "1"], .openMPI),
            (["PMIX_RANK": "0", "SLURM_NTASKS": "1"], .alone),
            (["PMI_RANK": "0", "PMI_SIZE": "1"], .alone),
            (["SLURM_NTASKS": "4", "SLURM_PROCID": "1"], .alone),
        ] as [([String: String], ProcessLaunch)])
    func `Launchers are told by their variables`(_ variables: [String: String], expected: ProcessLaunch)
        throws
    {
        #expect(try ProcessLaunch(environment: variables) == expected)
    }

    @Test(arguments: [["PMI_RANK": "0", "PMI_SIZE": "2"], ["PMI_RANK": "1"]])
    func `Another MPI is refused, with the way out`(_ variables: [String: String]) {
        let error = #expect(throws: UsageError.self) { try ProcessLaunch(environment: variables) }
        #expect(error?.description.contains("use Open MPI's mpirun, or srun --mpi=pmix") == true)
    }

    @Test func `A process alone needs no MPI`() throws {
        let group = try ProcessLaunch.alone.processes { _ in }
        #expect(group.size == 1 && group.isFirst && group.sums([2, 3]) == [2, 3])
        #expect(try group.shared { 7 } == 7)
    }

    @Test(arguments: [1, 2, 3, 7], [0, 1, 5, 64])
    func `The parts of a batch are equal but for one, and make up the batch`(processes: Int, sequences: Int) {
        let batch = 10..<10 + sequences
        let parts = (0..<processes).map { BatchPart($0, of: processes).of(batch) }
        #expect(parts.flatMap { $0 } == Array(batch))
        let counts = parts.map(\.count)
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }

    // MARK: Steps

    /// What one step of learning leaves: the loss, the tally, the gradients and the statistics.
    private struct Learned: Sendable {
        let loss: Double
        let tally: Tally
        let values: [Double]
    }

    /// One step on three sequences, of which the last may have no number, in float64.
    private static func learned(_ config: RunConfig, in group: any ProcessGroup) throws -> Learned {
        let spec = try config.spec()
        let model = JerseyModel(spec, seed: 1, dtype: .float64)
        let numbers = ["4", "48", "07"].map { JerseyNumber($0) }.enumerated().map { index, number in
            index == 2 && spec.learnsFromUnreadable ? nil : number
        }
        let lengths = spec.readsAnchorOnly ? [1, 1, 1] : [2, 1, 3]
        let learner = Learner(
            model, config, schedule: .cosine(total: 10, warm: 0), group: group, numbers: JerseyNumber.all)
        let frames = Tensor.normal([lengths.reduce(0, +), 3, 32, 32], deviation: 1, seed: 5).to(
            dtype: .float64)
        let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let part = BatchPart(group.rank, of: group.size).of(0..<3)
        let rows = (0..<group.size).map { rank in
            lengths[BatchPart(rank, of: group.size).of(0..<3)].reduce(0, +)
        }
        let batch =
            part.isEmpty
            ? LabelledBatch(
                frames: .zeros([1, 3, 32, 32], dtype: .float64), lengths: [1], isPadded: false,
                numbers: [JerseyNumber.all[0]], share: BatchShare(rows: rows, rank: group.rank))
            : LabelledBatch(
                frames: frames.narrowed(0, to: starts[part.lowerBound]..<starts[part.upperBound]),
                lengths: Array(lengths[part]), isPadded: false, numbers: Array(numbers[part]),
                share: group.size > 1 ? BatchShare(rows: rows, rank: group.rank) : nil)
        let outcome = try learner.learn(from: batch)
        let gradients = model.store.trainable.map { $0.tensor.gradient! }
        let statistics = model.store.entries.filter { $0.name.contains("running") }.map(\.tensor)
        return Learned(
            loss: outcome.loss, tally: outcome.tally,
            values: Tensor.concatenated((gradients + statistics).map { $0.reshaped(-1) }, over: 0).array())
    }

    @Test(
        arguments: [
            ("basic_r18", EncoderKind.compact), ("basic_effl0", .efficientnetB0), ("evidence_tied", .compact),
            ("attn_bgru_luong", .mobilenetV3Small),
        ] as [(String, EncoderKind)], [2, 4])
    func `The gradients of the processes add up to those of the whole batch`(
        _ model: (name: String, encoder: EncoderKind), processes: Int
    ) throws {
        var config = RunConfig()
        (config.model, config.encoder) = (model.name, model.encoder)
        config.training.labelSmoothing = 0.1
        config.training.logitAdjustment = model.name == "basic_r18"
        config.training.precision = .float32
        let whole = try Self.learned(config, in: SingleProcess())
        let settings = config
        let parts = try ThreadGroup.run(processes) { try Self.learned(settings, in: $0) }
        func norm(_ values: Tensor) -> Double { (values * values).sum(over: 0).item.squareRoot() }
        let expected = Tensor(whole.values)
        for part in parts {
            // Sums travel in float32.
            #expect(abs(part.loss - whole.loss) < 1e-6 * whole.loss)
            #expect(
                part.tally.numbers == whole.tally.numbers && part.tally.sequences == whole.tally.sequences)
            let found = Tensor(part.values)
            #expect(norm(found - expected) < 1e-6 * norm(expected))
            #expect(norm(found - Tensor(parts[0].values)) == 0 && part.tally == parts[0].tally)
        }
    }

    // MARK: Runs

    private static func train(
        _ config: RunConfig, in folder: URL, _ processes: Int,
        stop: @escaping @Sendable (Int, Int) -> Bool = { _, _ in false }
    ) throws -> [Trainer.Ending] {
        try ThreadGroup.run(processes) { group in
            var steps = 0
            // Only process 0 may write.
            let own = group.isFirst ? folder : folder.appendingPathComponent("none")
            let observer = SilentObserver()
            let trainer = Trainer(config, folder: RunFolder(own), in: group, observer: observer) {
                steps += 1
                return stop(group.rank, steps)
            }
            let ending = try trainer.run()
            if !group.isFirst {
                #expect(!FileNames.exists(own.path) && observer.sentences.isEmpty && observer.epochs.isEmpty)
            }
            return ending
        }
    }

    private static func weights(_ folder: URL) throws -> Tensor {
        let tensors = try Safetensors(contentsOf: RunFolder(folder).state).tensors.part("model.")
        return .concatenated(
            tensors.sorted { $0.key < $1.key }.map { $0.value.to(dtype: .float32).reshaped(-1) }, over: 0)
    }

    /// The largest difference.
    private static func distance(_ a: Tensor, _ b: Tensor) -> Double {
        let difference = a - b
        return (difference * difference).top(1, over: 0).values.item.squareRoot()
    }

    private static func metrics(_ folder: URL) throws -> [EpochMetrics] {
        try String(contentsOf: RunFolder(folder).metrics, encoding: .utf8).split(separator: "\n").map {
            try JSON.decoded(EpochMetrics.self, from: Data($0.utf8))
        }
    }

    @Test func `Three processes train what one does, stop together, and two go on where they stopped`() throws
    {
        let folder = try TestFolder()
        func run(_ name: String) -> URL { folder.url.appendingPathComponent(name) }
        let config = Sample.config("seq_ugru_fs")
        #expect(try Self.train(config, in: run("one"), 1) == [.finished])
        #expect(try Self.train(config, in: run("three"), 3) == [.finished, .finished, .finished])
        // One process is asked to stop, while another one validates.
        let endings = try Self.train(config, in: run("stopped"), 3) { rank, steps in rank == 2 && steps == 4 }
        #expect(endings == [.stopped, .stopped, .stopped])
        #expect(try Self.train(config, in: run("stopped"), 2) == [.finished, .finished])
        let one = try Self.weights(run("one"))
        for name in ["three", "stopped"] {
            let worst = Self.distance(one, try Self.weights(run(name)))
            #expect(worst < 1e-3, "\(name): \(worst)")
            for (a, b) in zip(try Self.metrics(run("one")), try Self.metrics(run(name))) {
                #expect(abs(a.train.loss - b.train.loss) < 1e-4 && a.train.sequences == b.train.sequences)
            }
        }
        #expect(RunFolder(run("three")).exists(RunFolder(run("three")).result))
        // The same number of processes gives the same bytes.
        _ = try Self.train(config, in: run("again"), 3)
        #expect(Self.distance(try Self.weights(run("again")), try Self.weights(run("three"))) == 0)
    }

    @Test func `Processes may have statistics of their own`() throws {
        let folder = try TestFolder()
        var config = Sample.config("basic_mv3s")
        config.training.syncBatchNorm = false
        #expect(try Self.train(config, in: folder.url, 2) == [.finished, .finished])
    }

    @Test func `What cannot be divided is refused before anything is written`() throws {
        let folder = try TestFolder()
        var config = Sample.config()
        config.training.batchSize = 2
        let few = #expect(throws: UsageError.self) { try Self.train(config, in: folder.url, 3) }
        #expect(few?.description.hasPrefix("training.batchSize is 2, too few for 3 processes") == true)
        config.published = true
        let published = #expect(throws: UsageError.self) { try Self.train(config, in: folder.url, 2) }
        #expect(published?.description.contains("published is for one process") == true)
        #expect(!RunFolder(folder.url).exists(RunFolder(folder.url).config))
    }

    @Test func `A process with other data than the first says so`() throws {
        let names = try ThreadGroup.run(2) { group -> String? in
            let sequences = (0..<3).map { index in
                FrameSequence(
                    id: "\(index)", track: "\(index)", number: nil, frames: ["\(index * group.rank)"],
                    anchor: nil)
            }
            var splits = Splits()
            splits.train = ["0", "1", "2"]
            let parts = Parts(Dataset(root: "", sequences: sequences, remarks: []), splits)
            do {
                try parts.checkSame(in: group, RunConfig())
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(
            names[0] == nil && names[1]?.contains("has other files here than where process 0 runs") == true)
    }
}
