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
        let counts = Dictionary(grouping: model.store.trainable, by: \.group).mapValues { $0.reduce(0) { $0 + $1.tensor.count } }
        func part(_ kind: Part.Kind, _ what: String, _ shapes: [String]) -> Part {
            Part(part: kind, what: what, shapes: shapes, parameters: counts[kind.rawValue] ?? 0)
        }
        /// The output shape per frame, or of the only frame.
        func each(_ shape: String) -> String { spec.readsAnchorOnly ? "(B, \(shape))" : "(B, T, \(shape))" }
        let digits = ["11", "10"] + (spec.hasFullHead ? ["\(JerseyNumber.all.count)"] : [])

        var parts = [
            part(.frames, spec.readsAnchorOnly ? "the anchor frame" : "frames", [each("3, \(input.height), \(input.width)")]),
            part(
                .encoder, spec.encoder.rawValue,
                [each(spec.digits == .tied ? maps[1...].map(String.init).joined(separator: ", ") : "\(features)")]),
        ]
        var width = features
        if let temporal = spec.temporal {
            width = temporal.width
            parts.append(part(.temporal, "\(temporal)", [each("\(width)")]))
        }
        let heads =
            spec.digits == .tied
            ? "tens and ones, located in the maps and classified by one layer" : "a layer for each digit"
        let others =
            (spec.hasFullHead ? ", one for the number" : "")
            + (spec.judgesReadability ? ", probability of a correct reading" : "")
        let outputs = digits.map { "(B, \($0))" }
        if spec.judgesReadability {
            parts.append(part(.heads, heads + others, (digits + ["1"]).map(each)))
            parts.append(part(.pooling, "\(spec.pooling)", outputs))
        } else {
            if spec.pooling != .none { parts.append(part(.pooling, "\(spec.pooling)", ["(B, \(width))"])) }
            parts.append(part(.heads, heads + others, outputs))
        }
        self.parts = parts
    }

    package var table: Table {
        Table(
            ["part", "what", "output", "parameters"],
            rows: parts.map {
                [$0.part.rawValue, $0.what, $0.shapes.joined(separator: ", "), $0.parameters > 0 ? "\($0.parameters)" : "-"]
            }
                + [["all", "", "", "\(parameters)"]],
            note: "Shapes are for B sequences of T frames. Tens are 0 to 9 and blank, ones 0 to 9.")
    }
}
