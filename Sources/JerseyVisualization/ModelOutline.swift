import Foundation
import Jersey
import JerseyOutput
import Torch

/// The parts of a model and the shapes between them, taken from the network itself.
package struct ModelOutline: Sendable {
    package struct Part: Encodable, Sendable {
        package enum Kind: String, Encodable, Sendable { case frames, encoder, temporal, pooling, heads }

        package let part: Kind
        /// "resnet18", "bidirectional gru".
        package let what: String
        /// Output shapes, for B sequences of T frames.
        package let shapes: [String]
        package let parameters: Int
    }

    package let spec: ModelSpec
    /// In the order in which data flow through them.
    package let parts: [Part]

    package var parameters: Int { parts.reduce(0) { $0 + $1.parameters } }

    package func part(_ kind: Part.Kind) -> Part? { parts.first { $0.part == kind } }

    /// - Parameter input: gives the size of frames.
    package init(_ spec: ModelSpec, input: InputSpec = InputSpec()) {
        self.spec = spec
        let model = JerseyModel(spec)
        let frame = Tensor.zeros([1, 3, input.height, input.width])
        let (maps, features) = withoutGradients { (model.maps(frame).shape, model.encode(frame).shape[1]) }
        let counts = Dictionary(grouping: model.store.trainable, by: \.group).mapValues {
            $0.reduce(0) { $0 + $1.tensor.count }
        }
        func part(_ kind: Part.Kind, _ what: String, _ shapes: [String]) -> Part {
            Part(part: kind, what: what, shapes: shapes, parameters: counts[kind.rawValue] ?? 0)
        }
        let classes = ["11", "10"] + (spec.hasFullHead ? ["\(JerseyNumber.all.count)"] : [])
        /// Shapes for B frames, or B sequences.
        func once(_ shapes: [String]) -> [String] { shapes.map { "(B, \($0))" } }
        /// Shapes for T frames in each of B sequences.
        func each(_ shapes: [String]) -> [String] { shapes.map { "(B, T, \($0))" } }
        let (pixels, vector) = (["3, \(input.height), \(input.width)"], ["\(features)"])
        func seen(_ digits: ModelSpec.Digits) -> [String] {
            digits == .tied ? [maps[1...].map(String.init).joined(separator: ", ")] : vector
        }
        func heads(_ digits: ModelSpec.Digits) -> String {
            digits.words + (spec.hasFullHead ? ", one for the number" : "")
        }

        switch spec.family {
        case .singleFrame(let digits):
            parts = [
                part(.frames, "the anchor frame", once(pixels)),
                part(.encoder, spec.encoder.rawValue, once(seen(digits))),
                part(.heads, heads(digits), once(classes)),
            ]
        case .recurrent(let layer, let pooling):
            parts = [
                part(.frames, "frames", each(pixels)),
                part(.encoder, spec.encoder.rawValue, each(vector)),
                part(.temporal, "\(layer)", each(["\(layer.width)"])),
                part(.pooling, pooling.name, once(["\(layer.width)"])),
                part(.heads, heads(.independent), once(classes)),
            ]
        case .evidence(let digits):
            parts = [
                part(.frames, "frames", each(pixels)),
                part(.encoder, spec.encoder.rawValue, each(seen(digits))),
                part(.heads, heads(digits) + ", probability of a correct reading", each(classes + ["1"])),
                part(.pooling, spec.poolingName, once(classes)),
            ]
        }
    }

    package var table: Table {
        Table(
            ["part", "what", "output", "parameters"],
            rows: parts.map {
                [
                    $0.part.rawValue, $0.what, $0.shapes.joined(separator: ", "),
                    $0.parameters > 0 ? "\($0.parameters)" : "-",
                ]
            }
                + [["all", "", "", "\(parameters)"]],
            note: "Shapes are for B sequences of T frames. Tens are 0 to 9 and blank, ones 0 to 9.")
    }
}

extension ModelSpec.Digits {
    fileprivate var words: String {
        switch self {
        case .independent: "a layer for each digit"
        case .tied: "tens and ones, located in the maps and classified by one layer"
        }
    }
}
