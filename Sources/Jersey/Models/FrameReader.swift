import Torch

/// Reads the digits of each frame by itself, and perhaps the whole number.
struct FrameReader {
    let features: FrameFeatures
    private var digits: any DigitHeads
    private let full: Linear?

    /// - Parameter channels: C of the maps.
    init(
        _ digits: ModelSpec.Digits, hasFullHead: Bool, _ features: FrameFeatures, _ root: Scope, channels: Int
    ) {
        let heads = root.part(.heads)
        self.features = features
        self.digits =
            switch digits {
            case .independent: IndependentDigits(heads, width: features.count)
            case .tied: TiedDigits(heads, channels: channels)
            }
        full = hasFullHead ? Linear(heads / "fc_full", features.count, JerseyNumber.all.count) : nil
    }

    /// The same for maps of one shape (R, C, h, w).
    func prepared(for maps: [Int], on device: Device) -> FrameReader {
        var reader = self
        reader.digits = digits.prepared(for: maps, on: device)
        return reader
    }

    /// - Parameter maps: (R, C, h, w).
    /// - Returns: logits, and the features (R, F) for other heads.
    func callAsFunction(_ maps: Tensor, _ pass: Pass) -> (FrameLogits, features: Tensor) {
        let features = features(maps, pass)
        let (tens, ones) = digits(features, maps: maps, pass)
        return (FrameLogits(tens: tens, ones: ones, full: full?(features, pass)), features)
    }
}

/// The logits of R frames, each by itself.
struct FrameLogits {
    /// (R, 11)
    let tens: Tensor
    /// (R, 10)
    let ones: Tensor
    /// (R, 110), the numbers of `JerseyNumber.all`; nil without that head.
    let full: Tensor?

    var all: [Tensor] { [tens, ones] + [full].compactMap(\.self) }

    /// - Parameter parts: from one model, in order; not empty.
    static func joined(_ parts: [FrameLogits]) -> FrameLogits {
        FrameLogits(
            tens: .concatenated(parts.map(\.tens), over: 0), ones: .concatenated(parts.map(\.ones), over: 0),
            full: parts[0].full.map { _ in .concatenated(parts.compactMap(\.full), over: 0) })
    }
}
