import Foundation
import Torch

extension Precision {
    /// The precision that you ask for.
    public enum Choice: RawRepresentable, CaseIterable, Sendable, Equatable {
        /// The fastest precision on this processor for which `jersey calibrate` found the same answers as in
        /// float32. It is float32 on a GPU, and where nothing was measured.
        case automatic
        /// This precision.
        case fixed(Precision)

        /// `automatic`, then all precisions.
        public static let allCases: [Choice] = [.automatic] + Precision.allCases.map(fixed)

        /// The choice of a name; nil for a name that is not in `allCases`.
        ///
        /// - Parameter rawValue: "automatic", or the name of a precision.
        public init?(rawValue: String) {
            guard let choice = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
            self = choice
        }

        /// "automatic", or the name of a precision.
        public var rawValue: String {
            switch self {
            case .automatic: "automatic"
            case .fixed(let precision): precision.rawValue
            }
        }

        /// What to compute in.
        ///
        /// - Parameters:
        ///   - card: of the model.
        ///   - isNative: whether the device has instructions for a precision.
        package func precision(
            for card: Checkpoint.Card, on device: Device, isNative: (Precision, Device) -> Bool = { $0.isNative(on: $1) }
        ) -> Precision {
            switch self {
            case .fixed(let precision): precision
            // What was measured on a processor holds on processors.
            case .automatic where device != .cpu: .float32
            case .automatic:
                Precision.fastestFirst.first { card.agreements?[$0]?.isProof == true && isNative($0, device) } ?? .float32
            }
        }
    }

    /// What is faster than float32 on processors that have instructions for it.
    package static let fastestFirst: [Precision] = [.int8, .bfloat16]
}

/// How far the answers of a precision are those of float32. Measured on sequences that the model has not learned from, and kept in its
/// file.
package struct PrecisionAgreement: Codable, Sendable, Equatable {
    /// How many were read in both.
    package var sequences: Int
    /// How many of these have another number, or an answer in one of the two only.
    package var changed: Int
    /// The largest difference of a digit's probability, 0...1.
    package var largestDifference: Double

    /// How many sequences prove something: if one answer in a hundred changed, so many would show about three.
    static let fewest = 300

    /// Whether the answers are the same, by enough sequences.
    package var isProof: Bool { changed == 0 && sequences >= Self.fewest }
}
