import Foundation
import Torch

/// Classifies the digits of the numbers on frames.
protocol DigitHeads {
    /// - Parameters:
    ///   - features: (R, F) of frames.
    ///   - maps: (R, C, h, w), what the features were pooled from.
    /// - Returns: logits of tens (R, 11) and ones (R, 10).
    func callAsFunction(_ features: Tensor, maps: Tensor, _ pass: Pass) -> (tens: Tensor, ones: Tensor)
    /// The same for maps of one shape (R, C, h, w), with everything that depends on the shape
    /// computed in advance.
    func prepared(for maps: [Int], on device: Device) -> any DigitHeads
}

/// The study's heads: one layer for tens and one for ones. Each learns all digits by itself.
struct IndependentDigits: DigitHeads {
    let tens: Linear
    let ones: Linear

    init(_ scope: Scope, width: Int) {
        tens = Linear(scope / "fc_tens", width, 11)
        ones = Linear(scope / "fc_ones", width, 10)
    }

    /// - Parameter features: (N, F) of frames or of sequences.
    func callAsFunction(_ features: Tensor, _ pass: Pass) -> (tens: Tensor, ones: Tensor) {
        (tens(features, pass), ones(features, pass))
    }

    func callAsFunction(_ features: Tensor, maps: Tensor, _ pass: Pass) -> (tens: Tensor, ones: Tensor) {
        self(features, pass)
    }
    func prepared(for maps: [Int], on device: Device) -> any DigitHeads { self }
}

/// Reads digits where they are. One learned query finds the place of the tens and another that of
/// the ones, and one classifier reads the digit at either place. It does not know the place, so
/// what it learns about a digit in one place and number applies to all others.
struct TiedDigits: DigitHeads {
    let key: Linear
    let place: Linear
    /// (2, K), for tens and ones.
    let queries: Tensor
    let hidden: Linear
    let digit: Linear
    let blank: Linear
    let scale: Double

    /// - Parameter channels: of the maps.
    init(_ scope: Scope, channels: Int, width: Int = 64) {
        let scope = scope / "digits"
        key = Linear(scope / "key", channels, width)
        place = Linear(scope / "place", Self.placeWidth, width, bias: false)
        queries = scope.parameter("queries", [2, width], .normal(deviation: 1))
        hidden = Linear(scope / "hidden", channels, channels)
        digit = Linear(scope / "digit", channels, 10)
        blank = Linear(scope / "blank", channels, 1)
        scale = 1 / Double(width).squareRoot()
    }

    func callAsFunction(_ features: Tensor, maps: Tensor, _ pass: Pass) -> (tens: Tensor, ones: Tensor) {
        read(maps, Self.places(like: maps), pass)
    }

    func prepared(for maps: [Int], on device: Device) -> any DigitHeads {
        CompiledDigits(self, for: maps, on: device)
    }

    /// - Parameter places: of the maps (`places(like:)`).
    func read(_ maps: Tensor, _ places: Tensor, _ pass: Pass) -> (tens: Tensor, ones: Tensor) {
        let (channels, height, width) = (maps.shape[1], maps.shape[2], maps.shape[3])
        let contents = maps.reshaped(-1, channels, height * width).permuted(0, 2, 1)  // (R, P, C)
        let found = attention(contents, places, pass).matmul(contents)  // (R, 2, C)
        let seen = Activation.relu(hidden(found, pass))
        let digits = digit(seen, pass)  // (R, 2, 10)
        let blank = blank(seen.selected(1, at: 0), pass)
        return (.concatenated([digits.selected(1, at: 0), blank], over: 1), digits.selected(1, at: 1))
    }

    /// The attention of each query to each place: (R, 2, P), which sums to 1 over P.
    private func attention(_ contents: Tensor, _ places: Tensor, _ pass: Pass) -> Tensor {
        let keys = key(contents, pass) + place(places, pass)  // (R, P, K) + (P, K)
        return (keys.matmul(queries.permuted(1, 0)) * scale).softmax(over: 1).permuted(0, 2, 1)
    }

    private static let waves = 3
    static let placeWidth = 2 * (1 + 2 * waves)

    /// The places of maps (R, C, h, w), as (P, 14).
    private static func places(like maps: Tensor) -> Tensor {
        places(maps.shape[2], maps.shape[3]).to(dtype: maps.dtype, device: maps.device)
    }

    /// The code of each place of a map, as (P, 14): both coordinates, -1...1, and waves of them.
    /// Maps may have any size.
    static func places(_ height: Int, _ width: Int) -> Tensor {
        func codes(_ index: Int, _ count: Int) -> [Float] {
            let place = (2 * Float(index) + 1) / Float(count) - 1
            return [place]
                + (1...waves).flatMap { [sin(.pi * Float($0) * place), cos(.pi * Float($0) * place)] }
        }
        let rows = (0..<height).flatMap { y in (0..<width).flatMap { x in codes(y, height) + codes(x, width) }
        }
        return Tensor(rows, shape: [height * width, placeWidth])
    }
}

/// Tied digits for inference on maps of one size, with everything that depends on the size computed
/// in advance. Maps of another size are read by `TiedDigits`.
struct CompiledDigits: DigitHeads {
    private let digits: TiedDigits
    /// Height and width of the maps.
    private let size: [Int]
    /// (P, 14).
    private let places: Tensor
    /// The fused kernel, which only the CPU has.
    private let reader: DigitReader?

    /// - Parameters:
    ///   - digits: in float32, on `device`.
    ///   - maps: (R, C, h, w), the expected shape.
    init(_ digits: TiedDigits, for maps: [Int], on device: Device) {
        self.digits = digits
        size = Array(maps[2...])
        let places = TiedDigits.places(maps[2], maps[3]).to(device: device)
        self.places = places
        reader =
            device != .cpu
            ? nil
            : withoutGradients {
                DigitReader(
                    key: digits.key, places: digits.place(places), queries: digits.queries * digits.scale,
                    hidden: digits.hidden, classifiers: [digits.digit, digits.blank])
            }
    }

    func callAsFunction(_ features: Tensor, maps: Tensor, _ pass: Pass) -> (tens: Tensor, ones: Tensor) {
        guard isExpected(maps) else { return digits(features, maps: maps, pass) }
        // A meter counts the work of layers.
        guard let reader, pass.meter == nil else { return digits.read(maps, places, pass) }
        let logits = reader(maps)  // (R, 2, 11)
        return (logits.selected(1, at: 0), logits.selected(1, at: 1).narrowed(1, to: 0..<10))
    }

    func prepared(for maps: [Int], on device: Device) -> any DigitHeads {
        digits.prepared(for: maps, on: device)
    }

    private func isExpected(_ maps: Tensor) -> Bool { Array(maps.shape[2...]) == size }
}
