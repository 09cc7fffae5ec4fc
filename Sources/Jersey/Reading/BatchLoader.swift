import Foundation
import Torch

/// Loads sequences in batches. Worker threads decode and augment them, a bounded number of
/// sequences ahead.
///
/// The content of a batch depends only on the order, the seed and the epoch, not on the number of
/// workers.
package final class BatchLoader {
    package struct Batch {
        /// (R, H, W, 3) uint8 on the CPU: valid frames, one sequence after the other; or each
        /// sequence padded with its last frame.
        package let frames: Tensor
        /// Valid frames of each sequence.
        package let lengths: [Int]
        package let isPadded: Bool
        package let sequences: [FrameSequence]
        /// For each sequence, the indices of the frames that were read.
        package let used: [[Int]]
        /// The heights of those frames before they were fitted, in pixels.
        package let heights: [[Int]]
        /// Where the number is in each of those frames, in its pixels; nil where none was found or
        /// looked for.
        package let boxes: [[NumberBox?]]
        /// For each sequence, the frames that were left out.
        package let leftOut: [[FrameProblem]]
        /// Sequences without a readable frame, which are in none of the lists above.
        package let unreadable: [UnreadableSequence]
        /// For all sequences of the batch in order, whether they have a readable frame.
        package let isReadable: [Bool]

        /// All frames that were left out.
        package var problems: [FrameProblem] { leftOut.flatMap { $0 } + unreadable.flatMap(\.problems) }
    }

    /// One position in an epoch's order.
    package struct Item: Sendable {
        package let sequence: FrameSequence
        /// The keys of its random draws.
        package let keys: (UInt64, UInt64, UInt64)

        /// - Parameter occurrence: how often the sequence has come before in this epoch.
        package init(_ sequence: FrameSequence, seed: UInt64 = 0, epoch: Int = 0, occurrence: Int = 0) {
            self.sequence = sequence
            keys = (seed, UInt64(epoch) << 32 | UInt64(occurrence), fnv1a(sequence.id))
        }
    }

    /// The ranges of the number of threads, and of sequences in a batch.
    package static let workerLimits = 1...256
    package static let batchLimits = 1...4096

    package let batchCount: Int
    private let pipeline: Pipeline
    private let items: [Item]
    /// The items of each batch.
    private let ranges: [Range<Int>]
    private let pads: Bool
    private var nextBatch: Int

    /// - Parameters:
    ///   - items: the sequences in order.
    ///   - part: loads only this part of every batch.
    ///   - start: the number of batches to skip, to resume an epoch.
    ///   - workers: threads.
    ///   - prefetch: how many batches the workers may be ahead.
    ///   - pads: repeats each sequence's last frame up to the longest sequence, as in the study.
    package init(
        _ items: [Item], batchSize: Int, part: BatchPart = .whole, loader: SequenceLoader, workers: Int,
        prefetch: Int = 2,
        start: Int = 0,
        pads: Bool = false
    ) {
        let parts = stride(from: 0, to: items.count, by: batchSize).map { first in
            items[part.of(first..<min(first + batchSize, items.count))]
        }
        let ends = parts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        self.items = parts.flatMap { $0 }
        self.pads = pads
        ranges = zip(ends, ends.dropFirst()).map { $0..<$1 }
        batchCount = parts.count
        nextBatch = start
        let longest = parts.first?.count ?? 0
        pipeline = Pipeline(
            self.items, loader, start: ends[min(start, parts.count)],
            window: max(longest, 1) * max(prefetch, 1))
        pipeline.start(workers: workers)
    }

    deinit {
        pipeline.stop()
    }

    /// The next batch; nil after the last.
    ///
    /// - Throws: what a strict loader throws for an unreadable frame.
    package func next() throws -> Batch? {
        guard nextBatch < batchCount else { return nil }
        let range = ranges[nextBatch]
        nextBatch += 1
        var loaded: [(FrameSequence, LoadedSequence)] = []
        for position in range { loaded.append((items[position].sequence, try pipeline.take(position))) }
        return Batch(loaded, size: pipeline.loader.preprocessor, pads: pads)
    }
}

/// One of several parts of every batch, as equal as can be. The parts follow one another.
package struct BatchPart: Sendable {
    package static let whole = BatchPart(0, of: 1)

    let index: Int
    let count: Int

    /// - Parameter index: 0..<count.
    package init(_ index: Int, of count: Int) {
        self.index = index
        self.count = count
    }

    /// The part of the batch with these positions.
    package func of(_ batch: Range<Int>) -> Range<Int> {
        func border(_ index: Int) -> Int { batch.lowerBound + batch.count * index / count }
        return border(index)..<border(index + 1)
    }
}

extension BatchLoader.Batch {
    /// - Parameters:
    ///   - size: of the frames.
    ///   - pads: repeats each sequence's last frame up to the longest sequence, as in the study.
    init(_ loaded: [(sequence: FrameSequence, frames: LoadedSequence)], size: FramePreprocessor, pads: Bool) {
        let readable = loaded.filter { !$0.frames.used.isEmpty }
        let longest = readable.map(\.frames.used.count).max() ?? 0
        var pieces: [Tensor] = []
        for (_, item) in readable {
            let count = item.used.count
            pieces.append(Tensor(sharing: item.frames, shape: [count, size.height, size.width, 3]))
            guard pads else { continue }
            let last = Tensor(
                sharing: item.frames, offset: (count - 1) * size.byteCount,
                shape: [1, size.height, size.width, 3])
            pieces += Array(repeating: last, count: longest - count)
        }
        let frames =
            pieces.isEmpty
            ? Tensor.zeros([0, size.height, size.width, 3], dtype: .uint8)
            : Runtime.onCallingThread { .concatenated(pieces, over: 0) }
        self.init(
            frames: frames,
            lengths: readable.map(\.frames.used.count), isPadded: pads, sequences: readable.map(\.sequence),
            used: readable.map(\.frames.used), heights: readable.map(\.frames.heights),
            boxes: readable.map(\.frames.boxes),
            leftOut: readable.map(\.frames.problems),
            unreadable: loaded.filter { $0.frames.used.isEmpty }.map {
                UnreadableSequence(sequence: $0.sequence, problems: $0.frames.problems)
            }, isReadable: loaded.map { !$0.frames.used.isEmpty })
    }
}

/// The worker threads and their results.
///
/// `@unchecked Sendable`: all mutable state is accessed only under the condition's lock.
private final class Pipeline: @unchecked Sendable {
    let loader: SequenceLoader
    private let items: [BatchLoader.Item]
    private let window: Int
    private let condition = NSCondition()
    private var claimed: Int
    private var taken: Int
    private var finished: [Int: Result<LoadedSequence, any Error>] = [:]
    private var isStopped = false

    init(_ items: [BatchLoader.Item], _ loader: SequenceLoader, start: Int, window: Int) {
        self.items = items
        self.loader = loader
        self.window = window
        claimed = start
        taken = start
    }

    func start(workers: Int) {
        for index in 0..<min(workers, items.count - claimed) {
            let thread = Thread { self.work() }
            thread.name = "loader \(index)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for the item at `position`, which must be the next.
    func take(_ position: Int) throws -> LoadedSequence {
        condition.lock()
        while finished[position] == nil { condition.wait() }
        let result = finished.removeValue(forKey: position)!
        taken = position + 1
        condition.broadcast()
        condition.unlock()
        return try result.get()
    }

    private func work() {
        Runtime.useCallingThreadOnly()
        while let position = claim() {
            let item = items[position]
            let random = RandomStream(item.keys.0, item.keys.1, item.keys.2)
            let result = Result { try withoutGradients { try loader.load(item.sequence, random: random) } }
            condition.lock()
            finished[position] = result
            condition.broadcast()
            condition.unlock()
        }
    }

    private func claim() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while !isStopped && claimed < items.count && claimed >= taken + window { condition.wait() }
        guard !isStopped, claimed < items.count else { return nil }
        claimed += 1
        return claimed - 1
    }
}
