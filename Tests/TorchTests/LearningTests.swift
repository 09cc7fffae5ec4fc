import CTorch
import Testing

@testable import Torch

@Suite("Layers that learn on a processor")
struct LearningTests {
    /// Frames, inputs, outputs, height, width.
    struct Size: CustomTestStringConvertible {
        let frames, inputs, outputs, height, width: Int
        var kernel = 3
        /// Whether Winograd's algorithm computes the convolution, if the processor has the
        /// registers.
        var isOurs: Bool {
            kernel == 3 && inputs.isMultiple(of: 16) && outputs.isMultiple(of: 16) && height > 2
        }
        var testDescription: String {
            "\(frames) frames, \(inputs) to \(outputs) channels, \(height)x\(width), \(kernel)x\(kernel)"
        }
    }

    // ResNet-18's sizes, with fewer frames; odd sizes, and panels and tiles that exceed the
    // picture; more tiles than are transformed at once; channels that only fill registers of eight
    // floats, and that fill none. oneDNN computes the last.
    static let sizes = [
        Size(frames: 1, inputs: 64, outputs: 64, height: 48, width: 24),
        Size(frames: 1, inputs: 128, outputs: 128, height: 24, width: 12),
        Size(frames: 2, inputs: 256, outputs: 256, height: 12, width: 6),
        Size(frames: 6, inputs: 512, outputs: 512, height: 6, width: 3),
        Size(frames: 3, inputs: 16, outputs: 48, height: 13, width: 11),
        Size(frames: 1, inputs: 48, outputs: 16, height: 7, width: 5),
        Size(frames: 9, inputs: 32, outputs: 32, height: 25, width: 17),
        Size(frames: 2, inputs: 16, outputs: 24, height: 9, width: 9),
        Size(frames: 2, inputs: 10, outputs: 12, height: 5, width: 6),
        Size(frames: 2, inputs: 16, outputs: 32, height: 2, width: 2),
        Size(frames: 2, inputs: 16, outputs: 32, height: 6, width: 6, kernel: 1),
    ]

    /// The outcome of a layer on random frames in training: its results, its gradients for random
    /// gradients of them, and its statistics.
    private func outcome(
        _ size: Size, _ activation: Activation?, adds: Bool, hasNorm: Bool, _ dtype: DType,
        byLibtorch: Bool = false
    ) -> [Tensor] {
        let store = ParameterStore()
        let scope = Scope(store, seed: 3, dtype: dtype)
        let layer = ConvNormActivation(
            Conv2d(scope / 0, size.inputs, size.outputs, kernel: size.kernel),
            hasNorm ? BatchNorm2d(scope / 1, size.outputs) : nil,
            activation)
        func drawn(_ channels: Int, seed: UInt64, mean: Double = 0) -> Tensor {
            Tensor.normal(
                [size.frames, channels, size.height, size.width], mean: mean, deviation: 1, seed: seed
            )
            .to(dtype: dtype).contiguous(channelsLast: true)
        }
        let x = drawn(size.inputs, seed: 1, mean: 0.5)
        let shortcut = drawn(size.outputs, seed: 2)
        let leaves = adds ? [x, shortcut] : [x]
        for leaf in leaves { leaf.requireGradient() }
        // Under autocast, libtorch computes, here in the same type.
        let y = withAutocast(byLibtorch ? dtype : nil, on: .cpu) {
            layer(x, adding: adds ? shortcut : nil, .training(seed: 0))
        }
        // The gradient of squares approaches zero at zero, where rounding decides on which side of
        // ReLU a value falls.
        (y * y * drawn(size.outputs, seed: 4)).sum(over: 0, 1, 2, 3).backward()
        let learned = (leaves + store.trainable.map(\.tensor)).map { $0.gradient! }
        return [y.detached()] + learned + store.entries.filter { $0.name.contains("running") }.map(\.tensor)
    }

    /// The norm of the difference over that of `expected`.
    private func error(_ found: Tensor, _ expected: Tensor) -> Double {
        let (found, expected) = (found.contiguous().to(dtype: .float64), expected.contiguous())
        func norm(_ tensor: Tensor) -> Double {
            (tensor * tensor).reshaped(tensor.count).sum(over: 0).item.squareRoot()
        }
        return norm(found - expected) / max(norm(expected), 1e-30)
    }

    static let forms: [(Activation?, Bool, Bool)] = [
        (nil, false, false), (nil, false, true), (.relu, false, true), (.relu, true, true), (nil, true, true),
        (.silu, true, true),
    ]

    @Test(arguments: sizes)
    func `Results, gradients and statistics are float64's but for rounding, of whatever size`(_ size: Size) {
        for (activation, adds, hasNorm) in Self.forms {
            func outcome(_ dtype: DType, byLibtorch: Bool = false) -> [Tensor] {
                self.outcome(size, activation, adds: adds, hasNorm: hasNorm, dtype, byLibtorch: byLibtorch)
            }
            let exact = outcome(.float64)
            let (ours, libtorch) = (outcome(.float32), outcome(.float32, byLibtorch: true))
            for (index, (found, expected)) in zip(ours, exact).enumerated() {
                let theirs = error(libtorch[index], expected)
                #expect(
                    error(found, expected) <= 5e-6,
                    "\(activation as Any), \(adds), \(hasNorm): tensor \(index), where libtorch is off by \(theirs)"
                )
            }
            // Otherwise nothing was tested.
            if size.isOurs, ct_winograd_lanes() > 0 {
                #expect(ours[0].contiguous().floats != libtorch[0].contiguous().floats)
            }
        }
    }

    @Test(arguments: sizes.filter(\.isOurs))
    func `Results and gradients are the same to the bit, whatever the number of threads`(_ size: Size) {
        func bytes(threads: Int32) -> [[Float]] {
            let former = ct_use_threads(threads)
            defer { _ = ct_use_threads(former) }
            return outcome(size, .relu, adds: true, hasNorm: true, .float32).map { $0.contiguous().floats }
        }
        // Otherwise oneDNN computes, and divides its sums among threads.
        guard ct_winograd_lanes() > 0 else { return }
        let alone = bytes(threads: 1)
        #expect(bytes(threads: 2) == alone && bytes(threads: 7) == alone)
    }
}
