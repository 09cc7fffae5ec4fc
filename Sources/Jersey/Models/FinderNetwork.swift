import Torch

/// Finds the number of the player whom a picture shows.
///
/// The picture is divided into cells. Each cell has a score for the middle of the number being
/// there, and the picture as a whole has one for showing no number of this player. A softmax over
/// all of them lets at most one number be found, even if a neighbour's is seen as well. Each cell
/// also proposes a box for a number in its middle, as in anchor-free detectors (Tian et al. 2019).
package final class FinderNetwork {
    /// The sizes that pictures are fitted to. A small one is enough for number crops.
    package enum Input: CaseIterable, Sendable {
        case small, large

        /// The height of the highest picture that is small, in pixels. The number of a whole player
        /// of this height could not be read.
        private static let smallHeight = 56

        package init(for picture: RGBImage) {
            self = picture.height <= Self.smallHeight ? .small : .large
        }

        package var preprocessor: FramePreprocessor {
            switch self {
            case .small: FramePreprocessor(height: 48, width: 32)
            case .large: FramePreprocessor(height: 96, width: 64)
            }
        }

        /// Rows and columns of cells.
        package var grid: (rows: Int, columns: Int) {
            (preprocessor.height / FinderNetwork.cell, preprocessor.width / FinderNetwork.cell)
        }

        /// P.
        package var cells: Int { grid.rows * grid.columns }
    }

    /// The side of a cell, in pixels.
    package static let cell = 8
    /// The side of a box whose proposal is zero, in pixels.
    package static let usualSide = 16.0

    package struct Output {
        /// (R, P + 1), the logits of P cells, row by row, and of there being no number.
        package let logits: Tensor
        /// (R, P, 4): the way from the middle of the cell to that of the box, across and down, in
        /// cells; and the logarithms of width and height, relative to `usualSide`.
        package let boxes: Tensor
    }

    package let store = ParameterStore()
    let encoder: FrameEncoder
    let head: FinderHead

    /// - Parameter seed: for the initial weights.
    package convenience init(seed: UInt64 = 0) {
        self.init { Scope($0, seed: seed) }
    }

    private init(_ scope: (ParameterStore) -> Scope) {
        let root = scope(store)
        encoder = Self.encoder(root)
        head = FinderHead(root / "head", channels: encoder.channels)
    }

    /// - Parameter frames: (R, 3, H, W), normalised, of one of the sizes of `Input`.
    package func callAsFunction(_ frames: Tensor, _ pass: Pass = .evaluation) -> Output {
        let maps = encoder(frames, pass)
        return head(maps, places: head.places(maps.shape[2], maps.shape[3], pass), pass)
    }

    /// A residual network that halves its maps three times, so that a place is a cell. The blocks
    /// after that see the whole picture: which player it is about decides which number is meant.
    private static func encoder(_ root: Scope) -> FrameEncoder {
        let table = [(32, 2), (64, 2), (64, 1), (64, 1)]
        return FrameEncoder(
            CompactEncoder.layers(root, stem: 16, table: table), channels: 64, isQuantizable: true)
    }

    /// A copy for inference on the CPU, for frames of one size: folded, fused and packed where that
    /// is faster.
    func compiled(for input: Input) -> @Sendable (Tensor) -> Output {
        let root = Scope(freezing: store, device: .cpu, dtype: .float32)
        let frozen = Self.encoder(root)
        let head = FinderHead(root / "head", channels: encoder.channels)
        let places = withoutGradients { head.places(input.grid.rows, input.grid.columns, .evaluation) }
        let rest = Frozen((head: head, places: places))
        var x = TensorSpec(shape: [1, 3, input.preprocessor.height, input.preprocessor.width])
        let compiler = Compiler.float(.float32)
        let layers: any Layer & Sendable =
            compiler.isSupported(on: .cpu) ? frozen.compiled(by: compiler, for: &x) : Frozen(frozen)
        return { frames in
            rest.value.head(layers(frames, .evaluation), places: rest.value.places, .evaluation)
        }
    }
}

/// Scores and boxes of all cells, from the maps.
struct FinderHead {
    private let cell, picture, place, score, none, box: Linear

    init(_ scope: Scope, channels: Int, width: Int = 64) {
        cell = Linear(scope / "cell", channels, width)
        picture = Linear(scope / "picture", channels, width)
        place = Linear(scope / "place", TiedDigits.placeWidth, width, bias: false)
        score = Linear(scope / "score", width, 1)
        none = Linear(scope / "none", width, 1)
        box = Linear(scope / "box", width, 4)
    }

    /// The part of the scores and boxes that depends only on the place: (P, K).
    func places(_ height: Int, _ width: Int, _ pass: Pass) -> Tensor {
        place(TiedDigits.places(height, width), pass)
    }

    /// - Parameters:
    ///   - maps: (R, C, h, w).
    ///   - places: of maps of this size.
    func callAsFunction(_ maps: Tensor, places: Tensor, _ pass: Pass) -> FinderNetwork.Output {
        let (channels, count) = (maps.shape[1], maps.shape[2] * maps.shape[3])
        let contents = maps.reshaped(-1, channels, count).permuted(0, 2, 1)  // (R, P, C)
        let picture = picture(contents.mean(over: 1), pass)  // (R, K)
        let seen = Activation.relu(cell(contents, pass) + places + picture.unsqueezed(1))
        let none = none(Activation.relu(picture * 1), pass)  // (R, 1)
        return FinderNetwork.Output(
            logits: .concatenated([score(seen, pass).squeezed(2), none], over: 1), boxes: box(seen, pass))
    }
}
