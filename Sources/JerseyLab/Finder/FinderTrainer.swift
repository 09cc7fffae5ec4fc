import Foundation
import Jersey
import JerseyOutput
import Synchronization
import Torch

/// Trains a finder of numbers on rendered frames. It can be stopped after any step and resumed
/// after the last whole epoch.
package struct FinderTrainer: Sendable {
    package var epochs = 12
    package var batchSize = 64
    package var rate = 0.003
    package var seed: UInt64 = 1
    /// The share of the sequences that are kept apart to measure the finder.
    package var validationShare = 0.03

    package init() {}

    /// How well a finder does on frames that it has not learned from.
    package struct Measure: Sendable, Codable, Equatable {
        /// The share of the frames with a number in which its box is found: confident, and covering
        /// at least half of what both boxes cover.
        package var found: Double
        /// The mean overlap of true and found boxes.
        package var overlap: Double
        /// The share of the frames without a number in which one is found.
        package var falselyFound: Double
    }

    /// - Parameters:
    ///   - data: with a truth beside the frames.
    ///   - folder: gets `finder.safetensors` after each epoch, and the state to resume from.
    ///   - report: gets a line after each epoch and every hundred steps.
    /// - Returns: whether it is finished.
    /// - Throws: errors of the data and the disk, and for losses that are not finite.
    package func run(
        _ data: DataConfig, folder: URL, shouldStop: () -> Bool = { false }, report: (String) -> Void
    ) throws -> Bool {
        try FileManager.default.makeFolder(folder, called: "the run folder", of: folder)
        let sequences = try Dataset(data).sequences
        let isKept: (FrameSequence) -> Bool = {
            var random = RandomStream(seed, fnv1a($0.track))
            return random.chance(validationShare)
        }
        let train = try FinderSamples(sequences.filter { !isKept($0) })
        let validation = try FinderSamples(sequences.filter(isKept))
        guard train.frames.count >= batchSize else {
            throw UsageError("\(train.frames.count) frames are fewer than a batch; use more data")
        }
        report(
            "\(train.frames.count) frames, \(train.frames.count { $0.box != nil }) with a number; \(validation.frames.count) to measure"
        )
        let network = FinderNetwork(seed: seed)
        report("\(network.store.parameterCount) parameters")
        let batches = train.frames.count / batchSize
        let schedule = Schedule.oneCycle(total: batches * epochs)
        let optimizer = Adam(
            [
                .init(
                    name: "weights", rate: rate, decay: 0.02,
                    entries: network.store.trainable.filter { $0.tensor.shape.count > 1 }),
                .init(
                    name: "norms and biases", rate: rate, decay: 0,
                    entries: network.store.trainable.filter { $0.tensor.shape.count < 2 }),
            ], decoupled: true)
        let state = folder.appendingPathComponent("state.safetensors")
        var epoch = try restore(network, optimizer, from: state)
        let pass = Pass.training(seed: seed)
        while epoch < epochs {
            var random = RandomStream(seed, UInt64(epoch))
            let order = Array(train.frames.indices).shuffled(using: &random)
            var (loss, count) = (0.0, 0)
            for batch in 0..<batches {
                if shouldStop() { return false }
                let indices = Array(order[batch * batchSize..<(batch + 1) * batchSize])
                let samples = try Self.load(indices) { [epoch] index in
                    var random = RandomStream(seed, UInt64(epoch), UInt64(index))
                    return try train.sample(index, &random)
                }
                let step = epoch * batches + batch
                loss += try learn(from: samples, network, optimizer, schedule, step: step, pass)
                count += 1
                if (batch + 1).isMultiple(of: 50) {
                    report(
                        "epoch \(epoch + 1), batch \(batch + 1) of \(batches): loss \(Format.decimal(loss / Double(count), places: 3))"
                    )
                    (loss, count) = (0, 0)
                }
            }
            epoch += 1
            let measure = try Self.measure(network, validation)
            report(
                "epoch \(epoch) of \(epochs): found \(Format.percent(measure.found, places: 1)), overlap "
                    + "\(Format.decimal(measure.overlap, places: 3)), falsely found \(Format.percent(measure.falselyFound, places: 1))"
            )
            try Checkpoint.write(network, to: folder.appendingPathComponent("finder.safetensors"))
            try save(network, optimizer, epoch: epoch, to: state)
        }
        return true
    }

    // MARK: Learning

    private func learn(
        from samples: [FinderSamples.Sample], _ network: FinderNetwork, _ optimizer: Adam,
        _ schedule: Schedule, step: Int, _ pass: Pass
    ) throws -> Double {
        let losses = FinderNetwork.Input.allCases.compactMap { input -> Tensor? in
            let part = samples.filter { $0.input == input }
            return part.isEmpty
                ? nil
                : Self.loss(network, part, input, pass) * (Double(part.count) / Double(samples.count))
        }
        let loss = losses.dropFirst().reduce(losses[0], +)
        let value = loss.item
        guard value.isFinite else { throw TrainingError(step: step, loss: value) }
        for entry in network.store.trainable { entry.tensor.clearGradient() }
        loss.backward()
        clipGradients(of: network.store.trainable.map(\.tensor), to: 5)
        optimizer.step(factor: schedule.factor(step), betas: (schedule.beta1(step), 0.999))
        return value
    }

    /// Cross-entropy of the cell with the number's middle, and the distance of the proposals of
    /// that cell and those around it.
    ///
    /// - Parameter samples: all of one size; at least one.
    private static func loss(
        _ network: FinderNetwork, _ samples: [FinderSamples.Sample], _ input: FinderNetwork.Input,
        _ pass: Pass
    ) -> Tensor {
        let (columns, cells) = (input.grid.columns, input.cells)
        var (labels, targets, masks): ([Int64], [Float], [Float]) = ([], [], [])
        for sample in samples {
            guard let box = sample.box else {
                labels.append(Int64(cells))
                targets += [Float](repeating: 0, count: cells * 4)
                masks += [Float](repeating: 0, count: cells)
                continue
            }
            let (cell, proposals) = FinderNetwork.target(of: box, in: input)
            labels.append(Int64(cell))
            targets += proposals
            masks += (0..<cells).map { index in
                let (down, across) = (index / columns - cell / columns, index % columns - cell % columns)
                return abs(down) <= 1 && abs(across) <= 1 ? 1 : 0
            }
        }
        let pixels = Tensor.concatenated(samples.map(\.picture), over: 0)
        let output = network(FramePreprocessor.normalized(pixels, on: .cpu), pass)
        let difference = output.boxes - Tensor(targets, shape: [samples.count, cells, 4])
        // Close to the absolute value, but smooth at zero.
        let distance = (difference * difference + 0.01).squareRoot() + -0.1
        let mask = Tensor(masks, shape: [samples.count, cells, 1])
        let boxLoss = (distance * mask).sum(over: 0, 1, 2) * (1 / Double(max(masks.reduce(0, +), 1)))
        return crossEntropy(output.logits, Tensor(labels)) + boxLoss
    }

    /// Loads samples on all cores. The result does not depend on how many there are.
    private static func load(_ indices: [Int], _ body: @Sendable (Int) throws -> FinderSamples.Sample) throws
        -> [FinderSamples.Sample]
    {
        let results = Runtime.concurrentMap(indices.count) { place in
            Result { try body(indices[place]) }
        }
        return try results.map { try $0.get() }
    }

    // MARK: Measuring

    static func measure(_ network: FinderNetwork, _ samples: FinderSamples) throws -> Measure {
        let finder = NumberFinder(network)
        var (found, overlap, falsely) = (0, 0.0, 0)
        for frame in samples.frames {
            let picture = try RGBImage(contentsOf: URL(fileURLWithPath: frame.path))
            let box = finder.boxes(in: [picture])[0]
            guard let truth = frame.box else {
                if box != nil { falsely += 1 }
                continue
            }
            let shared = box.map { $0.overlap(with: truth) } ?? 0
            overlap += shared
            if shared >= 0.5 { found += 1 }
        }
        let numbers = samples.frames.count { $0.box != nil }
        return Measure(
            found: Double(found) / Double(max(numbers, 1)), overlap: overlap / Double(max(numbers, 1)),
            falselyFound: Double(falsely) / Double(max(samples.frames.count - numbers, 1)))
    }

    // MARK: State

    private static let epochKey = "epoch"

    private func save(_ network: FinderNetwork, _ optimizer: Adam, epoch: Int, to url: URL) throws {
        var tensors = network.store.tensors.prefixed(by: "model.")
        tensors.merge(optimizer.state.prefixed(by: "adam.")) { $1 }
        try Safetensors(metadata: [Self.epochKey: "\(epoch)"], tensors: tensors).write(to: url)
    }

    /// - Returns: the number of epochs done.
    private func restore(_ network: FinderNetwork, _ optimizer: Adam, from url: URL) throws -> Int {
        guard FileNames.exists(url.path) else { return 0 }
        let file = try Safetensors(contentsOf: url)
        let weights = file.tensors.part("model.")
        guard let epoch = file.metadata[Self.epochKey].flatMap({ Int($0) }),
            network.store.mismatches(with: weights).isEmpty,
            optimizer.restore(file.tensors.part("adam.")).isEmpty
        else {
            throw FileError(
                url.path, "is not a state of this run", advice: "remove the run folder and train again")
        }
        network.store.load(weights)
        return epoch
    }
}
