import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Loading frames")
struct LoadingTests {
    private static let size = FramePreprocessor(height: 12, width: 8)

    /// A change that training might make, drawn for each frame.
    private static let brightening: @Sendable (Int, inout RandomStream) -> [(Tensor) -> Tensor] = {
        count, random in
        (0..<count).map { _ in
            let factor = random.uniform(0.2...1)
            return { $0.to(dtype: .float32).multiplyInPlace(factor).floorInPlace() }
        }
    }

    /// Sequences of 1, 2, 3… frames on disk.
    private func withSequences<Result>(_ count: Int, _ body: (URL, [FrameSequence]) throws -> Result) throws
        -> Result
    {
        try withFolder { folder in
            let sequences = try (0..<count).map { index in
                let names = (0...index % 5).map { "\(index)/\($0).png" }
                for (place, name) in names.enumerated() {
                    try folder.add(name, picture(index * 10 + place).pngData())
                }
                return FrameSequence(
                    id: "7/t/\(index)", track: "7/t", number: JerseyNumber("7"),
                    frames: names.map { folder.path + "/" + $0 },
                    anchor: nil)
            }
            return try body(folder, sequences)
        }
    }

    private func loader(_ change: (inout SequenceLoader) -> Void = { _ in }) -> SequenceLoader {
        var loader = SequenceLoader(preprocessor: Self.size, maximumFrames: 4, sampling: .even)
        change(&loader)
        return loader
    }

    private func all(_ loader: BatchLoader) throws -> [BatchLoader.Batch] {
        var batches: [BatchLoader.Batch] = []
        while let batch = try loader.next() { batches.append(batch) }
        return batches
    }

    private func bytes(_ batch: BatchLoader.Batch) -> [UInt8] { batch.frames.array(of: UInt8.self) }

    private func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<500 where !condition() { Thread.sleep(forTimeInterval: 0.01) }
        return condition()
    }

    // MARK: batches

    @Test func `A batch holds the frames of its sequences one after the other, long ones sampled`() throws {
        try withSequences(5) { _, sequences throws in
            let loader = BatchLoader(sequences.map { .init($0) }, batchSize: 3, loader: loader(), workers: 2)
            let batches = try all(loader)
            #expect(loader.batchCount == 2 && batches.map(\.lengths) == [[1, 2, 3], [4, 4]])
            #expect(
                batches[0].frames.shape == [6, 12, 8, 3] && !batches[0].isPadded
                    && batches[0].problems.isEmpty)
            #expect(batches[1].used == [[0, 1, 2, 3], [0, 1, 3, 4]])
            #expect(batches.flatMap(\.sequences) == sequences)
            #expect(try loader.next() == nil)
            let target = ByteBuffer(count: Self.size.byteCount)
            Self.size.paste(Self.size.resized(picture(10))!, into: target, at: 0)
            let expected = [UInt8](UnsafeRawBufferPointer(start: target.address, count: target.count))
            #expect(batches[0].frames.selected(0, at: 1).array(of: UInt8.self) == expected)
        }
    }

    @Test func `Padding repeats each sequence's last frame`() throws {
        try withSequences(3) { _, sequences throws in
            let batch = try #require(
                try BatchLoader(
                    sequences.map { .init($0) }, batchSize: 3, loader: loader(), workers: 1, pads: true
                ).next())
            #expect(batch.isPadded && batch.frames.shape[0] == 9 && batch.lengths == [1, 2, 3])
            func frame(_ index: Int) -> [UInt8] { batch.frames.selected(0, at: index).array(of: UInt8.self) }
            #expect(
                frame(1) == frame(0) && frame(2) == frame(0) && frame(5) == frame(4) && frame(4) != frame(3))
        }
    }

    @Test
    func `Augmented batches are the same with one worker and with four, and change with epoch and seed`()
        throws
    {
        try withSequences(9) { _, sequences throws in
            func epoch(_ seed: UInt64, _ epoch: Int, workers: Int) throws -> [[UInt8]] {
                let items = sequences.map { BatchLoader.Item($0, seed: seed, epoch: epoch) }
                let loader = loader {
                    $0.augment = Self.brightening
                    $0.sampling = .jittered
                }
                return try all(BatchLoader(items, batchSize: 2, loader: loader, workers: workers)).map(bytes)
            }
            let one = try epoch(1, 0, workers: 1)
            #expect(try epoch(1, 0, workers: 4) == one)
            #expect(try epoch(1, 1, workers: 4) != one)
            #expect(try epoch(2, 0, workers: 4) != one)
        }
    }

    @Test
    func `A later start gives the batches that would have come, and a start behind the end gives none`()
        throws
    {
        try withSequences(7) { _, sequences throws in
            let items = sequences.map { BatchLoader.Item($0) }
            let whole = try all(BatchLoader(items, batchSize: 2, loader: loader(), workers: 2)).map(bytes)
            for start in 0...5 {
                #expect(
                    try all(BatchLoader(items, batchSize: 2, loader: loader(), workers: 2, start: start)).map(
                        bytes)
                        == Array(whole.dropFirst(start)))
            }
            #expect(try BatchLoader([], batchSize: 2, loader: loader(), workers: 2).next() == nil)
        }
    }

    @Test func `Workers stay a bounded way ahead`() throws {
        try withSequences(40) { _, sequences throws in
            let single = sequences.map {
                FrameSequence(
                    id: $0.id, track: $0.track, number: $0.number, frames: [$0.frames[0]], anchor: nil)
            }
            let cache = FrameCache(limit: .max)
            let batches = BatchLoader(
                single.map { .init($0) }, batchSize: 3, loader: loader { $0.cache = cache }, workers: 4,
                prefetch: 2)
            let frame = picture(0).pixels.count
            #expect(eventually { cache.byteCount == 6 * frame })
            _ = try batches.next()
            #expect(eventually { cache.byteCount == 9 * frame })
            Thread.sleep(forTimeInterval: 0.05)
            #expect(cache.byteCount == 9 * frame)
        }
    }

    @Test func `A loader given up midway ends its workers`() throws {
        try withSequences(30) { _, sequences throws in
            var cache: FrameCache? = FrameCache(limit: 0)
            weak let watched = cache
            func takeOne() throws {
                let loader = loader { $0.cache = cache }
                _ = try BatchLoader(sequences.map { .init($0) }, batchSize: 2, loader: loader, workers: 4)
                    .next()
            }
            try takeOne()
            cache = nil
            #expect(eventually { watched == nil })
        }
    }

    // MARK: unreadable frames

    @Test func `An unreadable frame is left out and reported, and does not change the others`() throws {
        try withSequences(5) { folder, sequences throws in
            let loader = loader { $0.augment = Self.brightening }
            let items = [BatchLoader.Item(sequences[3])]
            let whole = try #require(try BatchLoader(items, batchSize: 1, loader: loader, workers: 1).next())
            try folder.add("3/1.png", Data("no picture".utf8))
            let batch = try #require(try BatchLoader(items, batchSize: 1, loader: loader, workers: 1).next())
            #expect(batch.lengths == [3] && batch.used == [[0, 2, 3]] && batch.unreadable.isEmpty)
            #expect(
                batch.problems.map(\.path) == [folder.path + "/3/1.png"]
                    && batch.problems[0].reason.contains("is a text file")
            )
            for (index, place) in batch.used[0].enumerated() {
                #expect(
                    batch.frames.selected(0, at: index).array(of: UInt8.self)
                        == whole.frames.selected(0, at: place).array(of: UInt8.self))
            }
        }
    }

    @Test(arguments: [false, true])
    func `A sequence without a readable frame is set apart, alone or among others`(_ pads: Bool) throws {
        try withSequences(3) { folder, sequences throws in
            for frame in sequences[1].frames { try FileManager.default.removeItem(atPath: frame) }
            let items = sequences.map { BatchLoader.Item($0) }
            let batch = try #require(
                try BatchLoader(items, batchSize: 3, loader: loader(), workers: 2, pads: pads).next())
            #expect(
                batch.unreadable.map(\.sequence) == [sequences[1]]
                    && batch.sequences == [sequences[0], sequences[2]]
                    && batch.lengths == [1, 3])
            #expect(
                batch.problems.count == 2
                    && batch.problems.allSatisfy { $0.reason.hasPrefix("does not exist") })
            let alone = try #require(
                try BatchLoader([items[1]], batchSize: 1, loader: loader(), workers: 1, pads: pads).next())
            #expect(
                alone.frames.shape == [0, 12, 8, 3] && alone.lengths == []
                    && alone.unreadable.map(\.sequence) == [sequences[1]])
        }
    }

    @Test func `A folder that is gone is an error: the data set went away, and not a frame`() throws {
        try withSequences(3) { folder, sequences throws in
            let gone = folder.appendingPathComponent("1")
            try FileManager.default.removeItem(at: gone)
            let batches = BatchLoader(sequences.map { .init($0) }, batchSize: 3, loader: loader(), workers: 2)
            let error = #expect(throws: FileError.self) { try batches.next() }
            #expect(error?.path == gone.path)
        }
    }

    @Test
    func
        `A reading tells how high the frames it is made from are on disk, cached or not, and leaves unreadable ones out`()
        throws
    {
        try withFolder { folder throws in
            for (name, height) in [("0", 20), ("1", 90), ("3", 7)] {
                try folder.add("\(name).png", picture(1, height: height).pngData())
            }
            try folder.add("2.png", Data("no picture".utf8))
            let sequence = FrameSequence(
                id: "s", track: "t", number: nil, frames: (0..<4).map { folder.path + "/\($0).png" },
                anchor: nil)
            let model = JerseyModel(try ModelSpec.named("basic_mv3s"))
            let loader = loader { ($0.singleFrame, $0.cache) = (.anchorOrAll, FrameCache(limit: .max)) }
            for _ in 0..<2 {
                let (readings, _) = try SequenceReader(model: model.frozen(), loader: loader).readAll([
                    sequence
                ])
                #expect(readings.map(\.heights) == [[20, 90, 7]] && readings.map(\.used) == [[0, 1, 3]])
            }
        }
    }

    @Test func `Strict loading stops at an unreadable frame`() throws {
        try withSequences(4) { folder, sequences throws in
            try FileManager.default.removeItem(at: folder.appendingPathComponent("2/1.png"))
            let batches = BatchLoader(
                sequences.map { .init($0) }, batchSize: 2, loader: loader { $0.strict = true }, workers: 2)
            #expect(try batches.next()?.lengths == [1, 2])
            #expect(throws: ImageError(name: folder.path + "/2/1.png", reason: .missing)) {
                try batches.next()
            }
        }
    }

    @Test func `A single-frame model gets the anchor, else the first frame or all`() throws {
        try withSequences(5) { _, sequences throws in
            let marked = FrameSequence(
                id: "a", track: "t", number: nil, frames: sequences[4].frames, anchor: 3)
            func used(_ sequence: FrameSequence, _ choice: SequenceLoader.SingleFrame) throws -> [Int] {
                try loader { $0.singleFrame = choice }.load(sequence, random: RandomStream(1)).used
            }
            #expect(try used(marked, .anchor) == [3])
            #expect(try used(marked, .anchorOrAll) == [3])
            #expect(try used(sequences[4], .anchor) == [0])
            #expect(try used(sequences[3], .anchorOrAll) == [0, 1, 2, 3])
        }
    }

    @Test
    func
        `A published model of single frames answers each sequence by its own frames, whatever is read beside it`()
        throws
    {
        let sequences = [2, 5].map { count in
            FrameSequence(
                id: "\(count)", track: "\(count)", number: nil, frames: (0..<count).map { "\($0)" },
                images: (0..<count).map { picture($0 * 7 + count, width: 30, height: 16) }, anchor: nil)
        }
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 32, width: 24), maximumFrames: 16, sampling: .even,
            singleFrame: .anchorOrAll)
        let model = JerseyModel(try .named("basic_r18", encoder: .mobilenetV3Small), seed: 5, published: true)
        let reader = SequenceReader(model: model.frozen(), loader: loader, workers: 1)
        let together = try reader.readAll(sequences).0
        let alone = try sequences.flatMap { try reader.readAll([$0]).0 }
        for (a, b) in zip(together.map(\.digits), alone.map(\.digits)) {
            #expect(zip(a.tens + a.ones, b.tens + b.ones).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }

    // MARK: cache

    @Test
    func `The cache gives what the file gives, stays within its limit, and remembers no failure`() throws {
        try withFolder { folder throws in
            for index in 0..<4 { try folder.add("\(index).png", picture(index).pngData()) }
            func path(_ index: Int) -> String { folder.path + "/\(index).png" }
            let frame = picture(0).pixels.count
            let cache = FrameCache(limit: 2 * frame + 1)
            for index in 0..<4 { #expect(try cache.image(at: path(index)) == picture(index)) }
            #expect(cache.byteCount == 2 * frame)
            for index in 0..<4 { try FileManager.default.removeItem(atPath: path(index)) }
            #expect(try cache.image(at: path(1)) == picture(1))
            #expect(throws: ImageError(name: path(3), reason: .missing)) { try cache.image(at: path(3)) }
            try folder.add("3.png", picture(3).pngData())
            #expect(try cache.image(at: path(3)) == picture(3))
        }
    }

    @Test func `Many threads may ask the cache at once`() throws {
        try withFolder { folder throws in
            for index in 0..<8 { try folder.add("\(index).png", picture(index).pngData()) }
            let cache = FrameCache(limit: 5 * picture(0).pixels.count)
            DispatchQueue.concurrentPerform(iterations: 64) { index in
                #expect((try? cache.image(at: folder.path + "/\(index % 8).png")) == picture(index % 8))
            }
            #expect(cache.byteCount == 5 * picture(0).pixels.count)
        }
    }
}
