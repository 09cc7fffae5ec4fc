import CTorch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Torch

@Suite("Tensor")
struct TensorTests {
    @Test func `Values and shape come back as they went in, in every Swift element type`() {
        #expect(Tensor([1.5, -2, 3, 4, 5, 6] as [Float], shape: [2, 3]).floats == [1.5, -2, 3, 4, 5, 6])
        #expect(Tensor([1e-300, 2] as [Double]).array(of: Double.self) == [1e-300, 2])
        #expect(Tensor([.min, .max] as [Int64]).array(of: Int64.self) == [.min, .max])
        #expect(Tensor([0, 255] as [UInt8]).array(of: UInt8.self) == [0, 255])
        let tensor = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 2, 3])
        #expect(
            tensor.shape == [1, 2, 3] && tensor.count == 6 && tensor.dtype == .float32
                && tensor.device == .cpu)
    }

    @Test func `A scalar and an empty tensor are tensors too`() {
        let scalar = Tensor([7] as [Float], shape: [])
        #expect(scalar.shape == [] && scalar.count == 1 && scalar.item == 7)
        let empty = Tensor([] as [Float], shape: [0, 3])
        #expect(empty.shape == [0, 3] && empty.floats == [])
        #expect(
            Tensor(bytes: UnsafeRawBufferPointer(start: nil, count: 0), dtype: .bool, shape: [0]).dtype
                == .bool)
    }

    @Test(arguments: DType.allCases)
    func `Raw bytes round trip in every element type`(_ dtype: DType) {
        let bytes = (0..<6 * dtype.size).map {
            dtype == .bool ? UInt8($0 % 2) : UInt8(truncatingIfNeeded: $0 * 37)
        }
        let tensor = bytes.withUnsafeBytes { Tensor(bytes: $0, dtype: dtype, shape: [2, 3]) }
        #expect(tensor.dtype == dtype && tensor.shape == [2, 3])
        var back = [UInt8](repeating: 0, count: bytes.count)
        back.withUnsafeMutableBytes { tensor.copyBytes(into: $0) }
        #expect(back == bytes)
    }

    @Test func `A tensor over shared memory sees it, and keeps it alive`() {
        var buffer: ByteBuffer? = ByteBuffer(count: 8)
        weak let watched = buffer
        buffer!.address.storeBytes(of: 9, toByteOffset: 5, as: UInt8.self)
        var tensor: Tensor? = Tensor(sharing: buffer!, offset: 4, shape: [2, 2])
        buffer = nil
        #expect(tensor!.array(of: UInt8.self) == [0, 9, 0, 0])
        #expect(watched != nil)
        tensor = nil
        #expect(watched == nil)
    }

    @Test func `Views reorder, cut and join without losing values`() {
        let a = Tensor((0..<6).map(Float.init), shape: [2, 3])
        #expect(a.permuted(1, 0).floats == [0, 3, 1, 4, 2, 5] && a.permuted(1, 0).shape == [3, 2])
        #expect(a.reshaped(3, 2).floats == a.floats)
        #expect(a.unsqueezed(1).shape == [2, 1, 3] && a.unsqueezed(0).squeezed(0).shape == [2, 3])
        #expect(a.narrowed(1, to: 1..<3).floats == [1, 2, 4, 5])
        #expect(a.selected(0, at: 1).floats == [3, 4, 5])
        #expect(a.indexSelected(1, at: Tensor([2, 0] as [Int64])).floats == [2, 0, 5, 3])
        #expect(Tensor.concatenated([a, a], over: 0).shape == [4, 3])
        let positions = Tensor([2, 1] as [Int64], shape: [2, 1])
        #expect(
            (a * 0).scattered(1, at: positions, values: Tensor([8, 9] as [Float], shape: [2, 1])).floats == [
                0, 0, 8, 0, 9, 0,
            ])
        let padded = Tensor([5] as [Float], shape: [1, 1, 1, 1]).padded(left: 1, right: 0, top: 0, bottom: 2)
        #expect(padded.shape == [1, 1, 3, 2] && padded.floats == [0, 5, 0, 0, 0, 0])
        let channels = Tensor((0..<4).map(Float.init), shape: [1, 4, 1, 1]).channelShuffled(groups: 2)
        #expect(channels.floats == [0, 2, 1, 3])
        let image = Tensor((0..<12).map(Float.init), shape: [1, 3, 2, 2])
        #expect(image.contiguous(channelsLast: true).floats == image.floats)
    }

    @Test func `Arithmetic and reductions agree with pencil and paper`() {
        let (a, b) = (Tensor([1, -2, 3] as [Float]), Tensor([4, 5, -6] as [Float]))
        #expect(
            (a + b).floats == [5, 3, -3] && (a - b).floats == [-3, -7, 9] && (a * b).floats == [4, -10, -18])
        #expect(
            (a / b).floats == [0.25, -0.4, -0.5] && (a + 1).floats == [2, -1, 4]
                && (a * 2).floats == [2, -4, 6])
        #expect(a.clamped(to: -1...2).floats == [1, -1, 2])
        #expect(isClose(a.tanh().floats, [1, -2, 3].map { tanh($0) }))
        #expect(isClose(a.sigmoid().floats, [1, -2, 3].map { 1 / (1 + exp(-$0)) }))
        #expect(
            a.isLess(than: b).array(of: UInt8.self) == [1, 1, 0]
                && a.isEqual(to: a).array(of: UInt8.self) == [1, 1, 1])
        #expect(a.filled(where: a.isLess(than: b), with: 0).floats == [0, 0, 3])
        #expect(
            a.isFinite && !Tensor([1, .infinity] as [Float]).isFinite && !Tensor([.nan] as [Float]).isFinite)
        let m = Tensor((1...6).map(Float.init), shape: [2, 3])
        #expect(
            m.sum(over: 0).floats == [5, 7, 9] && m.mean(over: 1).floats == [2, 5]
                && m.sum(over: 1, keep: true).shape == [2, 1])
        #expect(
            m.argmax(over: 1).array(of: Int64.self) == [2, 2]
                && m.matmul(m.permuted(1, 0)).floats == [14, 32, 32, 77])
        let top = Tensor([3, 9, 1, 7] as [Float]).top(2, over: 0)
        #expect(top.values.floats == [9, 7] && top.indices.array(of: Int64.self) == [1, 3])
        #expect(isClose(m.softmax(over: 1).sum(over: 1).floats, [1, 1]))
        #expect(
            isClose(m.logSoftmax(over: 1), Tensor(m.softmax(over: 1).floats.map { log($0) }, shape: [2, 3])))
    }

    @Test(arguments: [0, 1, 2, 100])
    func `What threads make beside each other comes back in order`(_ count: Int) {
        let rows = Frozen(Tensor((0..<100).map(Float.init), shape: [100, 1]))
        let squares = Runtime.concurrentMap(count) { index in
            let row = rows.value.narrowed(0, to: index..<index + 1)
            return row * row
        }
        #expect(squares.map(\.item) == (0..<count).map { Double($0 * $0) })
    }

    @Test func `Operations stay on the calling thread as long as the caller wants`() {
        let threads = Runtime.threads
        #expect(Runtime.onCallingThread { Runtime.threads } == 1)
        #expect(Runtime.threads == threads)
    }

    @Test(
        .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1))
    func `Threads that wait for one that has been held up give way, for a while`() throws {
        let threads = ct_use_threads(2)
        defer { _ = ct_use_threads(threads) }
        let own = pthread_self()
        /// Whether this thread alone did both tasks. With two threads, the other one is held up.
        func isAlone() -> Bool {
            let started = Mutex(0)
            let tasks = Runtime.concurrentMap(2) { _ in
                let thread = pthread_self()
                started.withLock { $0 += 1 }
                if thread != own { usleep(20_000) }
                let end = ContinuousClock.now + .milliseconds(50)
                while started.withLock({ $0 }) < 2 && ContinuousClock.now < end {}
                return thread
            }
            return tasks.allSatisfy { $0 == own }
        }
        #expect((0..<20).contains { _ in isAlone() })
        #expect(Runtime.threads == 2)
        // At most a second after one was held up. But other tests also have such threads.
        let end = ContinuousClock.now + .seconds(60)
        while isAlone() { try #require(ContinuousClock.now < end) }
    }

    @Test func `Operations in place change the tensor itself`() {
        let a = Tensor([1.6, -2.5, 300] as [Float])
        a.addInPlace(0.5).multiplyInPlace(2)
        #expect(isClose(a.floats, [4.2, -4, 601]))
        a.floorInPlace().clampInPlace(to: 0...255)
        #expect(a.floats == [4, 0, 255])
        a.addInPlace(Tensor([1, 2, 3] as [Float]), times: -1).multiplyInPlace(Tensor([2, 0, 1] as [Float]))
        #expect(a.floats == [6, 0, 252])
        a.copy(from: Tensor([1, 2, 3] as [Int64]))
        #expect(a.floats == [1, 2, 3] && a.dtype == .float32)
    }

    @Test func `Random tensors depend on their seed only, and look as they should`() {
        let normal = Tensor.normal([10_000], mean: 3, deviation: 2, seed: 1).floats
        #expect(normal == Tensor.normal([10_000], mean: 3, deviation: 2, seed: 1).floats)
        #expect(normal != Tensor.normal([10_000], mean: 3, deviation: 2, seed: 2).floats)
        let mean = normal.reduce(0, +) / 10_000
        let deviation = (normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 10_000).squareRoot()
        #expect(abs(mean - 3) < 0.1 && abs(deviation - 2) < 0.1)
        let uniform = Tensor.uniform([1000], -1...2, seed: 5).floats
        #expect(uniform.allSatisfy { -1...2 ~= $0 } && uniform.min()! < -0.9 && uniform.max()! > 1.9)
        let coins = Tensor.bernoulli([10_000], 0.3, seed: 5).floats
        #expect(Set(coins) == [0, 1] && abs(coins.reduce(0, +) / 10_000 - 0.3) < 0.03)
    }

    @Test func `Seeds that differ in their upper half only give other draws`() {
        #expect(
            Tensor.normal([4], deviation: 1, seed: 1).floats
                != Tensor.normal([4], deviation: 1, seed: 1 + 1 << 32).floats)
    }

    @Test
    func `An identity warp changes nothing, a half turn reverses, and what comes from outside is zero`() {
        let image = Tensor((1...6).map(Float.init), shape: [1, 1, 2, 3])
        #expect(isClose(image.warped(by: [1, 0, 0, 0, 1, 0]), image))
        #expect(isClose(image.warped(by: [-1, 0, 0, 0, -1, 0]).floats, [6, 5, 4, 3, 2, 1]))
        #expect(isClose(image.warped(by: [1, 0, 2.0 / 3, 0, 1, 0]).floats, [2, 3, 0, 5, 6, 0]))
    }

    @Test func `The runtime tells its version, its threads and its kernels`() {
        #expect(Runtime.version.first == "2" && Runtime.threads >= 1 && Runtime.cudaDeviceCount >= 0)
        #expect(!Runtime.cpuCapability.isEmpty && Runtime.buildDescription.contains("PyTorch"))
    }
}
