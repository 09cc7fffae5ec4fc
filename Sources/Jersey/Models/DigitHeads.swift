import Foundation
import Torch

/// Tells the digits of a number apart.
protocol DigitHeads {
    /// - Parameters:
    ///   - features: (R, F) of frames or of sequences.
    ///   - maps: (R, C, h, w), what the features were pooled from; nil behind a recurrent layer.
    /// - Returns: logits of tens (R, 11) and ones (R, 10).
    func callAsFunction(_ features: Tensor, maps: Tensor?) -> (tens: Tensor, ones: Tensor)
}

/// The study's: one layer for tens, one for ones, each of which learns all digits by itself.
struct IndependentDigits: DigitHeads {
    let tens: Linear
    let ones: Linear

    init(_ scope: Scope, width: Int) {
        tens = Linear(scope / "fc_tens", width, 11)
        ones = Linear(scope / "fc_ones", width, 10)
    }

    func callAsFunction(_ features: Tensor, maps: Tensor?) -> (tens: Tensor, ones: Tensor) { (tens(features), ones(features)) }
}

/// Digits read where they stand: a learned query finds the place of the tens and another that of the ones, and one classifier, which
/// knows nothing of places, tells what is there. What it learns of a digit in one place and number holds in all others.
final class TiedDigits: DigitHeads {
    let key: Linear
    let place: Linear
    /// (2, K): of tens and of ones.
    let queries: Tensor
    let hidden: Linear
    let digit: Linear
    let blank: Linear
    let scale: Double
    let store: ParameterStore
    /// By the size of maps: of a compiled model on the CPU.
    private var readers: [String: DigitReader] = [:]

    /// - Parameter channels: of the maps.
    init(_ scope: Scope, channels: Int, width: Int = 64) {
        let scope = scope / "digits"
        store = scope.store
        key = Linear(scope / "key", channels, width)
        place = Linear(scope / "place", Self.placeWidth, width, bias: false)
        queries = scope.parameter("queries", [2, width], .normal(deviation: 1))
        hidden = Linear(scope / "hidden", channels, channels)
        digit = Linear(scope / "digit", channels, 10)
        blank = Linear(scope / "blank", channels, 1)
        scale = 1 / Double(width).squareRoot()
    }

    func callAsFunction(_ features: Tensor, maps: Tensor?) -> (tens: Tensor, ones: Tensor) {
        guard let maps else { preconditionFailure("digits are found in maps, of which a recurrent layer leaves none") }
        if let reader = reader(for: maps) {
            let logits = reader(maps)  // (R, 2, 11)
            return (logits.selected(1, at: 0), logits.selected(1, at: 1).narrowed(1, to: 0..<10))
        }
        let (channels, height, width) = (maps.shape[1], maps.shape[2], maps.shape[3])
        let contents = maps.reshaped(-1, channels, height * width).permuted(0, 2, 1)  // (R, P, C)
        let found = attention(contents, places(maps)).matmul(contents)  // (R, 2, C)
        let seen = Activation.relu(hidden(found))
        let digits = digit(seen)  // (R, 2, 10)
        let blank = blank(seen.selected(1, at: 0))
        return (.concatenated([digits.selected(1, at: 0), blank], over: 1), digits.selected(1, at: 1))
    }

    /// Nil while there may be training, on a GPU, which has its own ways to do all at once, and where somebody counts the work of layers.
    private func reader(for maps: Tensor) -> DigitReader? {
        guard store.compilation != nil, store.meter == nil, maps.device == .cpu else { return nil }
        let size = "\(maps.shape[2])x\(maps.shape[3])"
        if let made = readers[size] { return made }
        let made = withoutGradients {
            DigitReader(
                key: key, places: place(places(maps)), queries: queries * scale, hidden: hidden, classifiers: [digit, blank])
        }
        readers[size] = made
        return made
    }

    /// Where the number is, by where the queries look: (R, 2), across and down, from 0 to 1.
    func numberPlaces(_ maps: Tensor) -> Tensor {
        let places = places(maps)
        let contents = maps.reshaped(-1, maps.shape[1], places.shape[0]).permuted(0, 2, 1)
        let coordinates = Tensor.concatenated([Self.across, Self.down].map { places.narrowed(1, to: $0..<$0 + 1) }, over: 1)
        return (attention(contents, places).matmul(coordinates).mean(over: 1) + 1) * 0.5
    }

    /// How much each query looks at each place: (R, 2, P), sums over P are 1.
    private func attention(_ contents: Tensor, _ places: Tensor) -> Tensor {
        let keys = key(contents) + place(places)  // (R, P, K) + (P, K)
        return (keys.matmul(queries.permuted(1, 0)) * scale).softmax(over: 1).permuted(0, 2, 1)
    }

    private func places(_ maps: Tensor) -> Tensor {
        let (height, width) = (maps.shape[2], maps.shape[3])
        return store.constant("places of \(height)x\(width)") {
            Self.places(height, width).to(dtype: maps.dtype, device: maps.device)
        }
    }

    private static let waves = 3
    private static let placeWidth = 2 * (1 + 2 * waves)
    /// Where in a place's codes its coordinates stand, which go from -1 to 1.
    private static let (down, across) = (0, 1 + 2 * waves)

    /// Where each place of a map lies, as (P, 14): both coordinates, -1...1, and waves of them. Any size will do.
    private static func places(_ height: Int, _ width: Int) -> Tensor {
        func codes(_ index: Int, _ count: Int) -> [Float] {
            let place = (2 * Float(index) + 1) / Float(count) - 1
            return [place] + (1...waves).flatMap { [sin(.pi * Float($0) * place), cos(.pi * Float($0) * place)] }
        }
        let rows = (0..<height).flatMap { y in (0..<width).flatMap { x in codes(y, height) + codes(x, width) } }
        return Tensor(rows, shape: [height * width, placeWidth])
    }
}
