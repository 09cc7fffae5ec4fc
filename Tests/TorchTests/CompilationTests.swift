import Testing

@testable import Torch

@Suite("Compiled convolutions")
struct CompilationTests {
    /// Frames, inputs, outputs, height, width.
    struct Size: CustomTestStringConvertible {
        let frames, inputs, outputs, height, width: Int
        var testDescription: String { "\(frames) frames, \(inputs) to \(outputs) channels, \(height)x\(width)" }
    }

    // Tiles of four that fit and that do not, few and many of them, one panel of outputs and an odd number of them, more outputs than
    // threads share and fewer; and, last, where Winograd's way does not pay.
    static let sizes = [
        Size(frames: 3, inputs: 64, outputs: 64, height: 12, width: 8),
        Size(frames: 5, inputs: 16, outputs: 48, height: 13, width: 11),
        Size(frames: 1, inputs: 32, outputs: 16, height: 4, width: 4),
        Size(frames: 2, inputs: 512, outputs: 384, height: 12, width: 9),
        Size(frames: 40, inputs: 16, outputs: 32, height: 6, width: 6),
        Size(frames: 2, inputs: 16, outputs: 16, height: 2, width: 2),
    ]

    private func layer(_ size: Size, _ activation: Activation?) -> (ParameterStore, ConvNormActivation) {
        let store = ParameterStore()
        let convolution = Conv2d(Scope(store, seed: 3), size.inputs, size.outputs, kernel: 3, bias: true)
        return (store, ConvNormActivation(convolution, nil, activation))
    }

    @Test("3x3 convolutions give what the eager ones give, whatever their size", arguments: sizes, [DType.float32, .bfloat16])
    func winograd(_ size: Size, _ dtype: DType) {
        let tolerance: Float = dtype == .float32 ? 1e-4 : 0.04
        let x = Tensor.normal([size.frames, size.inputs, size.height, size.width], deviation: 1, seed: 1)
        let shortcut = Tensor.normal([size.frames, size.outputs, size.height, size.width], deviation: 1, seed: 2)
        for (activation, adds) in [(nil, false), (.relu, false), (.relu, true)] as [(Activation?, Bool)] {
            let (_, eager) = layer(size, activation)
            let (store, compiled) = layer(size, activation)
            guard store.compile(.float(dtype)) else { return }
            let (expected, found) = withoutGradients {
                (
                    eager(x, adding: adds ? shortcut : nil),
                    compiled(
                        x.to(dtype: dtype).contiguous(channelsLast: true),
                        adding: adds ? (shortcut + 0).to(dtype: dtype).contiguous(channelsLast: true) : nil)
                )
            }
            #expect(isClose(found.to(dtype: .float32), expected, within: tolerance))
        }
    }

    @Test("what is not a number stays none")
    func notANumber() {
        let size = Self.sizes[0]
        let (store, compiled) = layer(size, .relu)
        guard store.compile(.float(.float32)) else { return }
        let x = Tensor.full([1, 64, 8, 8], .nan).contiguous(channelsLast: true)
        let y = withoutGradients { compiled(x) }
        #expect(y.floats.allSatisfy { $0.isNaN })
    }
}
