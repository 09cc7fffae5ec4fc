import Foundation
import Torch

/// Records a model's passes on a GPU and replays them when the same sizes recur. For one sequence,
/// launching the model's two hundred kernels takes several times longer than running them.
///
/// `@unchecked Sendable`: all mutable state is accessed only under the lock, and the results of a
/// replay are copied before the lock is released.
final class RecordedPasses: @unchecked Sendable {
    private struct Sizes: Hashable {
        let frames: [Int]
        let lengths: [Int]
    }

    fileprivate struct Pass {
        /// Frames in the layout of the first layer.
        let input: Tensor
        /// Holds tensors that the graph reads.
        let layout: PackedLayout
        let graph: DeviceGraph
        /// All outputs, flattened one after the other.
        let results: Tensor
        let shapes: [[Int]]
        let hasFullHead: Bool
    }

    /// The most passes to keep. They share the memory that the largest needs, because only one runs
    /// at a time, but each keeps its input.
    private let limit = 64
    /// Height and width of the frames. What depends on them must be computed before a pass is
    /// recorded.
    let size: [Int]
    private let laidOut: @Sendable (Tensor) -> Tensor
    /// Not a `Mutex`, because tensors leave it, which are not Sendable.
    private let lock = NSLock()
    private var seen: Set<Sizes> = []
    private var passes: [Sizes: Pass] = [:]

    /// - Parameters:
    ///   - size: height and width of the frames that the model was compiled for.
    ///   - laidOut: converts frames to the layout of the first layer.
    init(size: [Int], laidOut: @escaping @Sendable (Tensor) -> Tensor) {
        self.size = size
        self.laidOut = laidOut
    }

    /// - Parameter pass: runs on frames in that layout. It is recorded when its sizes come for the
    ///   second time.
    func callAsFunction(
        _ frames: Tensor, lengths: [Int], pass: (Tensor, PackedLayout) -> JerseyModel.Output
    ) -> JerseyModel.Output {
        lock.withLock {
            let sizes = Sizes(frames: frames.shape, lengths: lengths)
            if let known = passes[sizes] {
                known.input.narrowed(1, to: 0..<frames.shape[1]).copy(from: frames)
                return known.output()
            }
            let (input, layout) = (laidOut(frames), PackedLayout(lengths: lengths))
            if seen.count == 4096 { seen.removeAll() }
            guard !seen.insert(sizes).inserted, passes.count < limit else {
                return withoutGradients { pass(input, layout) }
            }
            let recorded = withoutGradients {
                Pass(recording: pass, of: input, layout, beside: passes.values.first)
            }
            passes[sizes] = recorded
            return recorded.output()
        }
    }
}

extension RecordedPasses.Pass {
    fileprivate init(
        recording pass: (Tensor, PackedLayout) -> JerseyModel.Output, of input: Tensor,
        _ layout: PackedLayout,
        beside other: Self?
    ) {
        func parts(_ output: JerseyModel.Output) -> [Tensor] {
            [output.tens, output.ones, output.full, output.attention, output.frames].compactMap(\.self)
        }
        // Libraries choose and prepare their kernels on the first run, so that run is not recorded.
        let sample = pass(input, layout)
        var results: Tensor?
        graph = DeviceGraph(sharingMemoryOf: other?.graph) {
            results = .concatenated(parts(pass(input, layout)).map { $0.reshaped(-1) }, over: 0)
        }
        guard let results else { preconditionFailure("the pass was not recorded") }
        self.input = input
        self.layout = layout
        self.results = results
        shapes = parts(sample).map(\.shape)
        hasFullHead = sample.full != nil
    }

    /// Replays the pass on the content of `input`.
    fileprivate func output() -> JerseyModel.Output {
        graph.replay()
        // The next replay overwrites `results`.
        let copy = results + 0
        var start = 0
        var parts = shapes.map { shape in
            let count = shape.reduce(1, *)
            defer { start += count }
            return shape.count == 2
                ? copy.narrowed(0, to: start..<start + count).reshaped(shape[0], shape[1])
                : copy.narrowed(0, to: start..<start + count)
        }[...]
        return JerseyModel.Output(
            tens: parts.removeFirst(), ones: parts.removeFirst(),
            full: hasFullHead ? parts.removeFirst() : nil,
            attention: parts.popFirst(), frames: parts.popFirst())
    }
}
