import Foundation
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Compiled models")
struct CompiledModelTests {
    private static let lengths = [2, 4, 1]

    /// A model with random weights, whose batch norms have seen data. The same encoder gives the
    /// same weights.
    private func model(_ kind: EncoderKind, pooling name: String = "attn_bgru_luong") throws -> JerseyModel {
        let model = JerseyModel(try ModelSpec.named(name, encoder: kind), seed: 7)
        let seen = Tensor.normal([8, 3, 64, 48], mean: 0.3, deviation: 1.5, seed: 11)
        let pass = Pass.training(seed: 0)
        // Momentum is small, so the statistics of later layers need some batches to settle.
        withoutGradients { for _ in 0..<40 { _ = model.maps(seen, pass) } }
        for entry in model.store.entries
        where entry.isTrainable && entry.tensor.shape.count == 1 && entry.group == "encoder" {
            let noise = Tensor.normal(entry.tensor.shape, deviation: 0.1, seed: fnv1a(entry.name))
            entry.tensor.copy(from: entry.tensor.detached() + noise)
        }
        return model
    }

    private func logits(_ model: CompiledModel, _ size: (Int, Int)) -> [Float] {
        let frames = Tensor.normal([7, 3, size.0, size.1], deviation: 1, seed: 5).contiguous(
            channelsLast: true)
        let output = withoutGradients { model(frames, lengths: Self.lengths) }
        return output.tens.floats + output.ones.floats
    }

    /// The largest difference, as a share of the largest value.
    private func difference(_ a: [Float], _ b: [Float]) -> Float {
        zip(a, b).map { abs($0 - $1) }.max()! / b.map(abs).max()!
    }

    @Test(arguments: EncoderKind.allCases)
    func `A compiled encoder of any kind gives the eager one's logits, whatever the size`(_ kind: EncoderKind)
        throws
    {
        let sizes = [(64, 48), (37, 33), (64, 48)]
        let eager = try model(kind)
        let (compiled, frozen) = (try eager.compiled(.float32, for: [7, 3, 64, 48]), eager.frozen())
        for size in sizes {
            #expect(difference(logits(compiled, size), logits(frozen, size)) < 1e-4)
        }
        let frames = Tensor.normal([3, 3, 64, 48], deviation: 1, seed: 6)
        let (a, b) = withoutGradients { (compiled.encode(frames), eager.encode(frames)) }
        #expect(a.shape == b.shape && difference(a.floats, b.floats) < 1e-4)
    }

    @Test(arguments: EncoderKind.allCases)
    func `In bfloat16 logits are near the eager one's, and come out as float32`(_ kind: EncoderKind) throws {
        let eager = try model(kind)
        guard let compiled = try? eager.compiled(.bfloat16, for: [7, 3, 64, 48]) else { return }
        // Random weights amplify rounding errors, most in ShuffleNetV2. The bound is twice its
        // error.
        #expect(difference(logits(compiled, (64, 48)), logits(eager.frozen(), (64, 48))) < 0.25)
        #expect(withoutGradients { compiled.maps(.zeros([1, 3, 32, 32])) }.dtype == .float32)
    }

    @Test(arguments: [EncoderKind.resnet18, .compact])
    func `In int8 maps are near the eager one's, whatever the size`(_ kind: EncoderKind) throws {
        let eager = try model(kind)
        let observer = RangeObserver()
        let frames = { (size: (Int, Int)) in
            Tensor.uniform([3, 3, size.0, size.1], -2...2, seed: 5).contiguous(channelsLast: true)
        }
        _ = withoutGradients { eager.encode(frames((64, 48)), Pass(ranges: observer)) }
        guard let compiled = try? eager.compiled(.int8, for: [3, 3, 64, 48], ranges: observer.ranges) else {
            return
        }
        for size in [(64, 48), (37, 33), (64, 48)] {
            let (a, b) = withoutGradients { (compiled.encode(frames(size)), eager.encode(frames(size))) }
            // Random weights amplify rounding errors, as with bfloat16.
            #expect(difference(a.floats, b.floats) < 0.2)
        }
    }

    @Test func `What is infinite or no number has no range, and its layer is named`() throws {
        let model = try model(.compact)
        withoutGradients { for tensor in model.store.tensors.values { tensor.copy(from: tensor * 1e30) } }
        let observer = RangeObserver()
        _ = withoutGradients {
            model.encode(.uniform([1, 3, 32, 32], -2...2, seed: 5), Pass(ranges: observer))
        }
        #expect(observer.broken?.contains("backbone") == true)
    }

    @Test
    func `int8 is refused where ranges are missing, be it of one layer, or activations are of another kind`()
        throws
    {
        let model = JerseyModel(try ModelSpec.named("evidence_tied"))
        let observer = RangeObserver()
        _ = withoutGradients { model.encode(.zeros([1, 3, 16, 16]), Pass(ranges: observer)) }
        var ranges = observer.ranges
        ranges[try #require(ranges.keys.first)] = nil
        let frames = [1, 3, 16, 16]
        let error = #expect(throws: UsageError.self) {
            try model.compiled(.int8, for: frames, ranges: ranges)
        }
        #expect(error?.description.contains("needs the ranges of this model's activations") == true)
        let (resnet, mobile) = (JerseyModel(try .named("basic_r18")), JerseyModel(try .named("basic_mv3s")))
        #expect(throws: UsageError.self) { try resnet.compiled(.int8, for: frames) }
        #expect(throws: UsageError.self) { try mobile.compiled(.int8, for: frames, ranges: [:]) }
    }

    @Test(arguments: EncoderKind.allCases)
    func `A compiled encoder leaves the frames that it reads as they are`(_ kind: EncoderKind) throws {
        let compiled = try model(kind).compiled(.float32, for: [2, 3, 40, 32])
        let frames = Tensor.normal([2, 3, 40, 32], deviation: 1, seed: 6).contiguous(channelsLast: true)
        let before = frames.floats
        let (first, second) = withoutGradients { (compiled.encode(frames), compiled.encode(frames)) }
        #expect(frames.floats == before && first.floats == second.floats)
    }

    @Test(
        arguments: ["evidence_tied", "basic_mv3s", "seq_bgru_mp"],
        [2, 13, 40])
    func `Threads that share the frames keep of them what one keeps`(_ name: String, _ count: Int) throws {
        let model = try model(.compact, pooling: name).compiled(.float32, for: [16, 3, 48, 40])
        let frames = Tensor.normal([count, 3, 48, 40], deviation: 1, seed: 9)
        let (one, all) = withoutGradients {
            (model.head.exported(maps: model.maps(frames)), shared(frames, model, by: model.head))
        }
        #expect(one.count == all.count && !one.isEmpty)
        for (a, b) in zip(one, all) {
            #expect(a.shape == b.shape && isClose(a.floats, b.floats, within: 1e-4))
        }
    }

    private func shared(_ frames: Tensor, _ model: CompiledModel, by head: some ModelHead) -> [Tensor] {
        head.exported(model.encoded(frames, by: head))
    }

    @Test(arguments: [(48, 48), (33, 61)])
    func `Digits are found in one pass as they are by layers`(_ size: (Int, Int)) throws {
        let model = try model(.compact, pooling: "evidence_tied")
        let maps = withoutGradients { model.maps(.normal([5, 3, size.0, size.1], deviation: 1, seed: 9)) }
        let eager = withoutGradients { model.frozen().head.exported(maps: maps) }
        for other in [0, 16] {
            let compiled = try model.compiled(.float32, for: [5, 3, size.0 + other, size.1])
            let frames = withoutGradients { compiled.head.exported(maps: maps) }
            for (a, b) in zip(eager, frames) {
                #expect(a.shape == b.shape && difference(a.floats, b.floats) < 1e-5)
            }
        }
    }

    @Test func `The work that a meter counts is the same`() throws {
        func count(_ model: CompiledModel) -> Int {
            let meter = OperationMeter()
            _ = logits(model.watched(by: Pass(meter: meter)), (32, 32))
            return meter.multiplyAccumulates
        }
        let eager = try model(.efficientnetLite0)
        #expect(try count(eager.frozen()) == count(eager.compiled(.float32, for: [7, 3, 32, 32])))
    }

    @Test func `A precision that the device does not have is refused, with those that it has`() throws {
        let model = JerseyModel(try ModelSpec.named("basic_r18"))
        let error = #expect(throws: UsageError.self) { try model.compiled(.float16, for: [1, 3, 32, 32]) }
        #expect(error?.description.contains("float32, bfloat16, int8") == true)
        #expect(!Precision.all(on: .cuda).contains(.int8) && Precision.all(on: .cuda).contains(.float16))
    }

    @Test func `What is not float32 stays eager`() throws {
        let model = JerseyModel(try ModelSpec.named("basic_mv3s"), dtype: .float64)
        #expect(throws: UsageError.self) { try model.compiled(.float32, for: [1, 3, 32, 32]) }
        #expect(
            withoutGradients { model.encode(Tensor.zeros([1, 3, 32, 32], dtype: .float64)) }.dtype == .float64
        )
    }

    @Test(arguments: ["evidence_tied", "attn_bgru_luong"])
    func `A compiled or frozen model stays as it is when its network learns on`(name: String) throws {
        let network = try model(.compact, pooling: name)
        let models = [network.frozen(), try network.compiled(.float32, for: [7, 3, 32, 32])]
        let before = models.map { logits($0, (32, 32)) }
        for entry in network.store.trainable { entry.tensor.copy(from: entry.tensor.detached() * 0) }
        #expect(models.map { logits($0, (32, 32)) } == before)
        #expect(logits(network.frozen(), (32, 32)) != before[0])
    }

    @Test func `Threads that read with one model at once read what one thread reads`() throws {
        // The last layers use one algorithm for few frames and another for many, and pack weights
        // on first use of each.
        let model = try model(.resnet18, pooling: "basic_r18").compiled(.float32, for: [1, 3, 64, 48])
        let alone = try self.model(.resnet18, pooling: "basic_r18").compiled(.float32, for: [16, 3, 64, 48])
        let frames = Frozen(
            Tensor.normal([16, 3, 64, 48], deviation: 1, seed: 5).contiguous(channelsLast: true))
        let counts = [1, 16, 2, 16, 1, 7, 16, 1]
        let found = Mutex([Int: [Float]]())
        DispatchQueue.concurrentPerform(iterations: counts.count) { index in
            let maps = withoutGradients { model.maps(frames.value.narrowed(0, to: 0..<counts[index])) }.floats
            found.withLock { $0[index] = maps }
        }
        for (index, maps) in found.withLock({ $0 }) {
            let expected = withoutGradients { alone.maps(frames.value.narrowed(0, to: 0..<counts[index])) }
                .floats
            #expect(difference(maps, expected) < 1e-4)
        }
    }
}
