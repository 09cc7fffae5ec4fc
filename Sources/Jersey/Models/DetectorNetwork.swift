import CBundledModel
import Foundation
import Torch

/// Finds athletes in a picture: MobileNetV2 (Sandler et al. 2018) with a feature pyramid (Lin et al. 2017) that ends
/// at an eighth of the picture's size. Every cell has a score for the middle of somebody being there (Zhou et al.
/// 2019), and proposes a box (Tian et al. 2019).
///
/// Batch norms are folded into the weights, so the network cannot be trained here; Tools/detector trains it.
final class DetectorNetwork {
    /// The side of a cell in pixels.
    static let cell = 8
    /// Both sides of a picture are multiples of this.
    static let multiple = 32

    let store = ParameterStore()
    private let layers: Layers<ConvNormActivation>

    /// With random weights.
    init() {
        layers = Layers(Scope(store))
    }

    /// With the weights that are part of the program.
    ///
    /// - Throws: `FileError` if they do not fit.
    static func bundled() throws -> DetectorNetwork {
        var size = 0
        let bytes = bundled_detector(&size)
        let name = "the bundled detector"
        let contents = try Safetensors(data: Data(bytes: bytes, count: size), named: name)
        let network = DetectorNetwork()
        if let problem = network.store.mismatches(with: contents.tensors).first {
            throw FileError(name, "does not fit: \(problem)", advice: "build the program again")
        }
        network.store.load(contents.tensors)
        return network
    }

    /// - Parameter pictures: (1, 3, H, W), from −1 to 1; H and W are multiples of `multiple`.
    /// - Returns: (1, 5, H / 8, W / 8): the score's logit, and the binary logarithms of the distances in pixels from
    ///   the cell's middle to the left, top, right and bottom of the box.
    func callAsFunction(_ pictures: Tensor) -> Tensor { layers(pictures, .evaluation) }

    /// A copy for inference on the CPU, whose outputs are float32: fused, and packed for pictures of about this size.
    ///
    /// - Parameter dtype: bfloat16 moves half the memory, which the first layers wait for. Where the processor cannot
    ///   compute in it, float32 takes its place.
    func compiled(height: Int, width: Int, dtype: DType = .bfloat16) -> @Sendable (Tensor) -> Tensor {
        let frozen = Layers(Scope(freezing: store, device: .cpu, dtype: .float32))
        let compilers = [Compiler.float(dtype), .float(.float32)]
        guard let compiler = compilers.first(where: { $0.isSupported(on: .cpu) }) else {
            let layers = Frozen(frozen)
            return { layers.value($0, .evaluation) }
        }
        let layers = frozen.compiled(by: compiler, for: TensorSpec(shape: [1, 3, height, width]))
        return { layers($0, .evaluation).to(dtype: .float32) }
    }
}

private typealias Block = InvertedResidual

/// The network's layers, trainable or compiled.
private struct Layers<Convolution: ConvolutionLayer> {
    let stem: Convolution
    let blocks: [Block<Convolution>]
    /// From maps of an eighth, a sixteenth and a thirty-second of the picture's size.
    let lateral8, lateral16, lateral32: Convolution
    let merge16, head0, head1: Separable<Convolution>
    let output: Convolution

    func callAsFunction(_ pictures: Tensor, _ pass: Pass) -> Tensor {
        var (x, eighth, sixteenth) = (stem(pictures, pass), pictures, pictures)
        for (index, block) in blocks.enumerated() {
            let expanded = block.expanded(x, pass)
            if index == MobileNetV2.eighth { eighth = expanded }
            if index == MobileNetV2.sixteenth { sixteenth = expanded }
            x = block.reduced(expanded, adding: x, pass)
        }
        x = lateral16(sixteenth, adding: lateral32(x, pass).doubled, pass)
        x = merge16(x, pass)
        x = lateral8(eighth, adding: x.doubled, pass)
        return output(head1(head0(x, pass), pass), pass)
    }
}

extension Layers: Sendable where Convolution: Sendable {}

/// Sandler et al. 2018, table 2.
private enum MobileNetV2 {
    /// Output channels, blocks, and the first one's stride.
    static let stages = [
        (16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1),
    ]
    /// The blocks whose expanded inputs have an eighth and a sixteenth of the picture's size.
    static let (eighth, sixteenth) = (6, 13)
}

extension Layers<ConvNormActivation> {
    private static var width: Int { 96 }

    init(_ scope: Scope) {
        stem = .folded(scope / "stem", 3, 32, kernel: 3, stride: 2, activation: .relu6)
        var (blocks, inputs): ([Block<ConvNormActivation>], Int) = ([], 32)
        for (outputs, count, stride) in MobileNetV2.stages {
            for index in 0..<count {
                blocks.append(
                    Block(
                        scope / "blocks" / blocks.count, inputs, outputs, stride: index == 0 ? stride : 1,
                        expansion: blocks.isEmpty ? 1 : 6))
                inputs = outputs
            }
        }
        self.blocks = blocks
        lateral8 = .folded(scope / "lateral8", 192, Self.width, kernel: 1, activation: .relu6)
        lateral16 = .folded(scope / "lateral16", 576, Self.width, kernel: 1, activation: .relu6)
        lateral32 = .folded(scope / "lateral32", inputs, Self.width, kernel: 1)
        merge16 = Separable(scope / "merge16", Self.width)
        head0 = Separable(scope / "head" / 0, Self.width)
        head1 = Separable(scope / "head" / 1, Self.width)
        output = .folded(scope / "output", Self.width, 5, kernel: 1)
    }

    func compiled(by compiler: Compiler, for pictures: TensorSpec) -> Layers<CompiledConvolution> {
        var x = pictures
        let stem = compiler(stem, &x)
        var (eighth, sixteenth) = (x, x)
        let blocks = self.blocks.enumerated().map { index, block in
            let expansion = block.expansion.map { compiler($0, &x) }
            if index == MobileNetV2.eighth { eighth = x }
            if index == MobileNetV2.sixteenth { sixteenth = x }
            return Block(
                expansion: expansion, depthwise: compiler(block.depthwise, &x), excitation: nil,
                projection: compiler(block.projection, &x), drop: block.drop)
        }
        let lateral32 = compiler(lateral32, &x)
        let lateral16 = compiler(lateral16, &sixteenth)
        let merge16 = merge16.compiled(by: compiler, for: &sixteenth)
        let lateral8 = compiler(lateral8, &eighth)
        let head0 = head0.compiled(by: compiler, for: &eighth)
        let head1 = head1.compiled(by: compiler, for: &eighth)
        return Layers<CompiledConvolution>(
            stem: stem, blocks: blocks, lateral8: lateral8, lateral16: lateral16, lateral32: lateral32,
            merge16: merge16, head0: head0, head1: head1, output: compiler(output, &eighth))
    }
}

/// A depthwise convolution and one across channels (Howard et al. 2017), with one activation after both.
private struct Separable<Convolution: ConvolutionLayer> {
    let depthwise, pointwise: Convolution

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { pointwise(depthwise(x, pass), pass) }
}

extension Separable: Sendable where Convolution: Sendable {}

extension Separable<ConvNormActivation> {
    init(_ scope: Scope, _ channels: Int) {
        depthwise = .folded(scope / "depthwise", channels, channels, kernel: 3, groups: channels)
        pointwise = .folded(scope / "pointwise", channels, channels, kernel: 1, activation: .relu6)
    }

    func compiled(by compiler: Compiler, for x: inout TensorSpec) -> Separable<CompiledConvolution> {
        Separable<CompiledConvolution>(depthwise: compiler(depthwise, &x), pointwise: compiler(pointwise, &x))
    }
}

extension InvertedResidual<ConvNormActivation> {
    /// MobileNetV2's, with norms folded in.
    fileprivate init(_ scope: Scope, _ inputs: Int, _ outputs: Int, stride: Int, expansion: Int) {
        let inner = inputs * expansion
        self.init(
            expansion: expansion == 1
                ? nil : .folded(scope / "expand", inputs, inner, kernel: 1, activation: .relu6),
            depthwise: .folded(
                scope / "depthwise", inner, inner, kernel: 3, stride: stride, groups: inner,
                activation: .relu6),
            excitation: nil,
            projection: .folded(scope / "project", inner, outputs, kernel: 1),
            drop: stride == 1 && inputs == outputs ? Dropout(probability: 0, wholeRows: true) : nil)
    }
}

extension ConvNormActivation {
    /// A convolution with a bias.
    ///
    /// The backbone was trained with TensorFlow's padding: with stride 2, a pixel at the right and bottom only. Kernels
    /// of 4 by 4 that begin with zeros do the same with padding on all sides, and without a copy of the maps.
    fileprivate static func folded(
        _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
        activation: Activation? = nil
    ) -> ConvNormActivation {
        ConvNormActivation(
            Conv2d(
                scope, inputs, outputs, kernel: stride == 1 ? kernel : kernel + 1, stride: stride,
                padding: .symmetric(kernel / 2), groups: groups, bias: true),
            nil, activation)
    }
}

extension Tensor {
    /// (N, C, H, W) to (N, C, 2 H, 2 W): each value four times.
    fileprivate var doubled: Tensor {
        func indices(_ count: Int) -> Tensor {
            Tensor((0..<2 * count).map { Int64($0 / 2) }, shape: [2 * count])
        }
        return indexSelected(2, at: indices(shape[2])).indexSelected(3, at: indices(shape[3]))
            .contiguous(channelsLast: true)
    }
}
