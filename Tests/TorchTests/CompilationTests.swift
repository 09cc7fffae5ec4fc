import CTorch
import TestSupport
import Testing

@testable import Torch

@Suite("Compiled convolutions")
struct CompilationTests {
    /// Frames, inputs, outputs, height, width.
    struct Size: CustomTestStringConvertible {
        let frames, inputs, outputs, height, width: Int
        var testDescription: String {
            "\(frames) frames, \(inputs) to \(outputs) channels, \(height)x\(width)"
        }
    }

    // Tiles of four that fit and that do not; few and many tiles; one panel of outputs and an odd
    // number; more and fewer outputs than threads share. Winograd's algorithm does not pay for the
    // last.
    static let sizes = [
        Size(frames: 3, inputs: 64, outputs: 64, height: 12, width: 8),
        Size(frames: 5, inputs: 16, outputs: 48, height: 13, width: 11),
        Size(frames: 1, inputs: 32, outputs: 16, height: 4, width: 4),
        Size(frames: 2, inputs: 512, outputs: 384, height: 12, width: 9),
        Size(frames: 40, inputs: 16, outputs: 32, height: 6, width: 6),
        Size(frames: 2, inputs: 16, outputs: 16, height: 2, width: 2),
    ]

    private func layer(_ size: Size, _ activation: Activation?) -> ConvNormActivation {
        let scope = Scope(ParameterStore(), seed: 3)
        return ConvNormActivation(
            Conv2d(scope, size.inputs, size.outputs, kernel: 3, bias: true), nil, activation)
    }

    /// Nil if this processor does not support it.
    private func compiled(_ layer: ConvNormActivation, _ compiler: Compiler, for x: Tensor)
        -> CompiledConvolution?
    {
        guard compiler.isSupported(on: .cpu) else { return nil }
        var x = spec(of: x)
        return compiler(layer, &x)
    }

    private func spec(of x: Tensor) -> TensorSpec {
        var spec = TensorSpec(shape: x.shape)
        spec.quantization = x.quantization
        return spec
    }

    @Test(arguments: sizes, [DType.float32, .bfloat16])
    func `3x3 convolutions give what the eager ones give, whatever their size`(_ size: Size, _ dtype: DType) {
        let tolerance: Float = dtype == .float32 ? 1e-4 : 0.04
        let x = Tensor.normal([size.frames, size.inputs, size.height, size.width], deviation: 1, seed: 1)
        let shortcut = Tensor.normal(
            [size.frames, size.outputs, size.height, size.width], deviation: 1, seed: 2)
        for (activation, adds) in [(nil, false), (.relu, false), (.relu, true)] as [(Activation?, Bool)] {
            let eager = layer(size, activation)
            guard let compiled = compiled(eager, .float(dtype), for: x) else { return }
            let (expected, found) = withoutGradients {
                (
                    eager(x, adding: adds ? shortcut : nil, .evaluation),
                    compiled(
                        x.to(dtype: dtype).contiguous(channelsLast: true),
                        adding: adds ? (shortcut + 0).to(dtype: dtype).contiguous(channelsLast: true) : nil,
                        .evaluation)
                )
            }
            #expect(isClose(found.to(dtype: .float32), expected, within: tolerance))
            #expect(compiled.kernel is WinogradConvolution == (ct_winograd_lanes() > 0))
        }
    }

    @Test(arguments: sizes, [DType.float32, .bfloat16])
    func `Winograd is as right with registers of older processors`(_ size: Size, _ dtype: DType) throws {
        let lanes: Int64 = 8
        guard ct_winograd_lanes() >= lanes, Compiler.float(dtype).isSupported(on: .cpu) else { return }
        let x = Tensor.normal([size.frames, size.inputs, size.height, size.width], deviation: 1, seed: 1)
        let shortcut = Tensor.normal(
            [size.frames, size.outputs, size.height, size.width], deviation: 1, seed: 2)
        let layer = layer(size, .relu)
        try withoutGradients {
            let expected = layer(x, adding: shortcut, .evaluation)
            let convolution = try #require(WinogradConvolution(layer, dtype, for: spec(of: x), lanes: lanes))
            let found = convolution(
                convolution.accepted(x), padding: 1,
                adding: (shortcut + 0).to(dtype: dtype).contiguous(channelsLast: true))
            #expect(isClose(found.to(dtype: .float32), expected, within: dtype == .float32 ? 1e-4 : 0.04))
        }
    }

    /// A convolution, the size of its frames, and whether its input is bytes with a zero point:
    /// pixels outside the picture are then not bytes of 0.
    struct Integers: CustomTestStringConvertible {
        let frames, inputs, outputs, height, width, kernel, stride: Int
        var groups = 1
        var isBytes = true
        var isSigned = false
        var isOurs: Bool { groups == 1 && outputs.isMultiple(of: 16) && kernel <= 8 }
        var testDescription: String {
            "\(frames)x\(inputs)x\(height)x\(width) to \(outputs), \(kernel)x\(kernel) / \(stride), \(groups) groups"
                + (isBytes ? isSigned ? ", signed" : "" : ", floats")
        }
    }

    // Pictures of colours, blocks of windows that fit and that do not, maps smaller than a window,
    // many panels of outputs and one. oneDNN computes the last.
    static let integers = [
        Integers(
            frames: 2, inputs: 3, outputs: 64, height: 33, width: 22, kernel: 7, stride: 2, isBytes: false,
            isSigned: true),
        Integers(
            frames: 1, inputs: 3, outputs: 32, height: 6, width: 5, kernel: 3, stride: 2, isBytes: false,
            isSigned: true),
        Integers(frames: 3, inputs: 48, outputs: 48, height: 12, width: 12, kernel: 3, stride: 1),
        Integers(frames: 40, inputs: 96, outputs: 96, height: 6, width: 6, kernel: 3, stride: 1),
        Integers(
            frames: 3, inputs: 16, outputs: 80, height: 7, width: 9, kernel: 3, stride: 2, isSigned: true),
        Integers(frames: 1, inputs: 32, outputs: 16, height: 1, width: 1, kernel: 3, stride: 1),
        Integers(frames: 2, inputs: 64, outputs: 128, height: 9, width: 4, kernel: 1, stride: 2),
        Integers(frames: 2, inputs: 20, outputs: 112, height: 5, width: 6, kernel: 5, stride: 1),
        Integers(frames: 2, inputs: 16, outputs: 24, height: 6, width: 6, kernel: 3, stride: 1),
        Integers(frames: 2, inputs: 32, outputs: 32, height: 6, width: 6, kernel: 3, stride: 1, groups: 2),
        Integers(frames: 1, inputs: 16, outputs: 16, height: 10, width: 9, kernel: 9, stride: 1),
    ]

    /// All lanes that this processor supports; nil for the compiled layer's own choice.
    static let lanes: [Int64?] = [nil] + [16, 8].filter(ct_has_int8)

    @Test(arguments: integers, lanes)
    func `Convolutions of bytes are right to half a step, whatever their size`(
        _ size: Integers, _ lanes: Int64?
    ) throws {
        if lanes != nil && !size.isOurs { return }
        func layer(_ activation: Activation?) -> ConvNormActivation {
            let convolution = Conv2d(
                Scope(ParameterStore(), seed: 3) / "layer", size.inputs, size.outputs, kernel: size.kernel,
                stride: size.stride,
                groups: size.groups, bias: true)
            // Whole steps, so that rounding the weights to bytes loses nothing.
            let weight = convolution.weight.detached()
            let steps = Tensor(
                (0..<size.outputs).map { weight.narrowed(0, to: $0..<$0 + 1).floats.map(abs).max()! / 127 },
                shape: [size.outputs, 1, 1, 1])
            withoutGradients {
                convolution.weight.copy(
                    from: Tensor((weight / steps).floats.map { $0.rounded() }, shape: weight.shape) * steps)
            }
            return ConvNormActivation(convolution, nil, activation)
        }
        let range: ClosedRange<Float> = size.isSigned ? -80...175 : 0...255
        let low = range.lowerBound
        func drawn(_ shape: [Int], seed: UInt64) -> Tensor {
            let values = Tensor.normal(shape, deviation: 60, seed: seed).floats
            return Tensor(values.map { min(max($0.rounded(), low), range.upperBound) }, shape: shape)
        }
        let x = drawn([size.frames, size.inputs, size.height, size.width], seed: 1)
        for (activation, adds) in [(nil, false), (.relu, false), (.relu, true)] as [(Activation?, Bool)] {
            let eager = layer(activation)
            let shape = withoutGradients { eager(x) }.shape
            let shortcut = adds ? drawn(shape, seed: 2) : nil
            let expected = withoutGradients { eager(x, adding: shortcut.map { $0 + 0 }, .evaluation) }.floats
            let outputs = expected.min()!...expected.max()!
            let (input, output) = (Quantization(range), Quantization(outputs))
            let given = size.isBytes ? x.quantized(input) : x.contiguous(channelsLast: true)
            let compiler = Compiler.int8(input: range, outputs: ["layer": outputs])
            guard let compiled = compiled(eager, compiler, for: given) else { return }
            let added = shortcut.map { $0.quantized(input) }
            let found = try withoutGradients {
                guard let lanes else { return compiled(given, adding: added, .evaluation) }
                let convolution = try #require(
                    Int8Convolution(eager, for: spec(of: given), input: input, output: output, lanes: lanes))
                return convolution(convolution.accepted(given), padding: size.kernel / 2, adding: added)
            }
            #expect(found.shape == shape)
            #expect(
                lanes != nil || compiled.kernel is Int8Convolution == (ct_int8_lanes() > 0 && size.isOurs))
            let scale = Float(output.qparams.scale)
            let worst = zip(found.dequantized().floats, expected).map { abs($0 - $1) }.max()!
            #expect(worst <= scale * 0.52)
        }
    }

    @Test(arguments: [DType.float32, .bfloat16])
    func `What is not a number stays none`(_ dtype: DType) {
        let size = Self.sizes[0]
        let x = Tensor.full([1, 64, 8, 8], .nan).to(dtype: dtype).contiguous(channelsLast: true)
        guard let compiled = compiled(layer(size, .relu), .float(dtype), for: x) else { return }
        let y = withoutGradients { compiled(x) }
        #expect(y.to(dtype: .float32).floats.allSatisfy { $0.isNaN })
    }
}
