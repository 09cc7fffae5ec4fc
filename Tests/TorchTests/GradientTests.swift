import TestSupport
import Testing

@testable import Torch

@Suite("Gradients")
struct GradientTests {
    private struct Stop: Error {}

    private func leaf(_ values: Float...) -> Tensor {
        let tensor = Tensor(values)
        tensor.requireGradient()
        return tensor
    }

    @Test func `Backward leaves the derivative, adds up, and is cleared`() {
        let x = leaf(2, 3)
        (x * x).sum(over: 0).backward()
        #expect(x.gradient?.floats == [4, 6])
        (x * x).sum(over: 0).backward()
        #expect(x.gradient?.floats == [8, 12])
        x.clearGradient()
        #expect(x.gradient == nil)
        x.setGradient(Tensor([1, 2] as [Float]))
        #expect(x.gradient?.floats == [1, 2])
    }

    @Test func `Nothing flows into detached values`() {
        let x = leaf(2)
        (x * x.detached()).sum(over: 0).backward()
        #expect(x.gradient?.floats == [2])
    }

    @Test
    func
        `withoutGradients records nothing, and recording resumes afterwards, also after an error and when nested`()
    {
        let x = leaf(2)
        func isRecorded() -> Bool {
            x.clearGradient()
            let inner = withoutGradients { x * 3 }
            (x * inner).sum(over: 0).backward()
            return x.gradient?.floats == [6]  // 12 if the inner product had been recorded
        }
        #expect(isRecorded())
        #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
        #expect(isRecorded())
        // After the inner scope, the outer one still applies: the product is a constant.
        let product = withoutGradients {
            withoutGradients {}
            return x * 3
        }
        x.clearGradient()
        (x * product).sum(over: 0).backward()
        #expect(x.gradient?.floats == [6] && isRecorded())
    }

    @Test func `Autocast computes products in its type, and stops at its end, also after an error`() {
        let a = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        #expect(withAutocast(.bfloat16, on: .cpu) { a.matmul(a).dtype } == .bfloat16)
        #expect(a.matmul(a).dtype == .float32)
        #expect(withAutocast(nil, on: .cpu) { a.matmul(a).dtype } == .float32)
        #expect(throws: Stop.self) { try withAutocast(.bfloat16, on: .cpu) { throw Stop() } }
        #expect(a.matmul(a).dtype == .float32)
    }

    @Test func `Autocast within autocast gives way to the outer one again`() {
        let a = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        withAutocast(.bfloat16, on: .cpu) {
            #expect(withAutocast(.float16, on: .cpu) { a.matmul(a).dtype } == .float16)
            #expect(a.matmul(a).dtype == .bfloat16)
        }
        #expect(a.matmul(a).dtype == .float32)
    }

    @Test func `Gradients of weights under autocast are float32`() {
        let weight = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        weight.requireGradient()
        let loss = withAutocast(.bfloat16, on: .cpu) { weight.matmul(weight) }.to(dtype: .float32).sum(
            over: 0, 1)
        loss.backward()
        #expect(weight.gradient?.dtype == .float32)
    }

    @Test func `Clipping shortens all gradients together, and leaves short ones alone`() {
        let (a, b, unused) = (leaf(1), leaf(1), leaf(1))
        a.setGradient(Tensor([3] as [Float]))
        b.setGradient(Tensor([4] as [Float]))
        #expect(clipGradients(of: [a, unused, b], to: 10).item == 5)
        #expect(a.gradient?.floats == [3] && b.gradient?.floats == [4] && unused.gradient == nil)
        #expect(clipGradients(of: [a, b], to: 1).item == 5)
        #expect(isClose(a.gradient!.floats + b.gradient!.floats, [0.6, 0.8]))
    }

    @Test
    func `The scaler divides, halves after a value that is not finite, and doubles after 2000 good steps`() {
        var scaler = GradientScaler()
        let x = leaf(1, 1)
        x.setGradient(Tensor([65_536, -131_072] as [Float]))
        #expect(scaler.unscale([x]) && x.gradient!.floats == [1, -2])
        for bad in [Float.infinity, .nan] {
            let before = scaler.scale
            x.setGradient(Tensor([1, bad] as [Float]))
            #expect(!scaler.unscale([x]) && scaler.scale == before / 2)
        }
        x.setGradient(Tensor([1, 1] as [Float]))
        for _ in 0..<1999 { _ = scaler.unscale([x]) }
        #expect(scaler.scale == 16_384)
        _ = scaler.unscale([x])
        #expect(scaler.scale == 32_768)
    }
}
