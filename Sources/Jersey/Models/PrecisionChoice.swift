import Foundation
import Torch

extension Precision {
    /// The precision that you ask for.
    public enum Choice: RawRepresentable, CaseIterable, Sendable, Equatable {
        /// The fastest precision on this processor for which `jersey calibrate` found the same
        /// answers as in float32. It is float32 on a GPU, and where nothing was measured.
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

        /// The precision to compute in.
        ///
        /// - Parameters:
        ///   - card: of the model.
        ///   - isNative: whether the device has instructions for a precision.
        package func precision(
            for card: Checkpoint.Card, on device: Device,
            isNative: (Precision, Device) -> Bool = { $0.isNative(on: $1) }
        ) -> Precision {
            switch self {
            case .fixed(let precision): precision
            // Agreements are measured on CPUs and hold only there.
            case .automatic where device != .cpu: .float32
            case .automatic:
                Precision.fastestFirst.first { card.agreements?[$0]?.isProof == true && isNative($0, device) }
                    ?? .float32
            }
        }
    }

    /// The precisions that are faster than float32 on CPUs with instructions for them.
    package static let fastestFirst: [Precision] = [.int8, .bfloat16]
}

/// How closely the answers of a precision match those of float32. The values are measured on
/// sequences that the model was not trained on, and kept in its file.
package struct PrecisionAgreement: Codable, Sendable, Equatable {
    /// How many sequences were read in both.
    package var sequences: Int
    /// How many of these have another number, or an answer in only one of the two.
    package var changed: Int
    /// The largest difference in a digit's probability, 0...1.
    package var largestDifference: Double

    /// The fewest sequences for a proof: if one answer in a hundred changed, about three changes
    /// would show.
    static let fewest = 300

    /// Whether enough sequences were read, and no answer changed.
    package var isProof: Bool { changed == 0 && sequences >= Self.fewest }
}
