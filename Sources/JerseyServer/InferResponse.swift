import Jersey

/// A response of the Open Inference Protocol.
struct InferResponse: Encodable {
    /// One output of the model, with a row per sequence.
    struct Output: Sendable {
        let name: String
        let datatype: String
        /// A row's shape: empty for a scalar, -1 for the number of frames.
        let shape: [Int]
        /// - Parameter frames: names of the sequence's frames, in order.
        let values: @Sendable (_ prediction: Prediction, _ frames: [String]) -> Values

        static let all: [Output] = [
            // Empty if no number was read.
            Output(name: "number", datatype: "BYTES", shape: []) { prediction, _ in
                .texts([prediction.number?.description ?? ""])
            },
            // 0 if no frame could be read.
            Output(name: "confidence", datatype: "FP64", shape: []) { prediction, _ in
                .numbers([prediction.confidence ?? 0])
            },
            Output(name: "unreadable", datatype: "BOOL", shape: []) { prediction, _ in
                .flags([prediction.unreadable])
            },
            Output(name: "tens", datatype: "FP64", shape: [11]) { prediction, _ in
                .numbers(prediction.digits == nil ? Array(repeating: 0, count: 11) : prediction.tens)
            },
            Output(name: "ones", datatype: "FP64", shape: [10]) { prediction, _ in
                .numbers(prediction.digits == nil ? Array(repeating: 0, count: 10) : prediction.ones)
            },
            // 0 for frames that were not read, and for models without frame weights.
            Output(name: "weights", datatype: "FP64", shape: [-1]) { prediction, frames in
                let weights = Dictionary(
                    prediction.frames.map { ($0.path, $0.weight ?? 0) },
                    uniquingKeysWith: { first, _ in first })
                return .numbers(frames.map { weights[$0] ?? 0 })
            },
        ]
    }

    enum Values: Sendable {
        case texts([String])
        case numbers([Double])
        case flags([Bool])
    }

    private struct OutputTensor: Encodable {
        let name: String
        let datatype: String
        let shape: [Int]
        let rows: [Values]

        private enum CodingKeys: CodingKey { case name, datatype, shape, data }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(datatype, forKey: .datatype)
            try container.encode(shape, forKey: .shape)
            var data = container.nestedUnkeyedContainer(forKey: .data)
            for row in rows {
                switch row {
                case .texts(let values): for value in values { try data.encode(value) }
                case .numbers(let values): for value in values { try data.encode(value) }
                case .flags(let values): for value in values { try data.encode(value) }
                }
            }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id, outputs, parameters
        case modelName = "model_name"
        case modelVersion = "model_version"
    }

    private let id: String?
    private let modelName: String
    private let modelVersion: String
    private let outputs: [OutputTensor]
    private let parameters: Parameters?

    /// Parameters cannot be lists in this protocol, so this one is a string.
    private struct Parameters: Encodable {
        /// JSON with the skipped frames and the reasons.
        let leftOut: String

        private enum CodingKeys: String, CodingKey { case leftOut = "left_out" }
    }

    private struct LeftOut: Encodable {
        /// The row, from 1.
        let sequence: Int
        /// The frame in the row, from 1; nil if all frames are affected.
        let frame: Int?
        let reason: String
    }

    init(_ about: ModelDescription, _ asked: InferRequest, _ read: [ReadSequence]) throws {
        let sequences = read.map(\.sequence)
        let predictions = read.map(\.prediction)
        id = asked.id
        modelName = about.name
        modelVersion = String(about.version)
        let names = (asked.outputs ?? []).map(\.name)
        let frames = sequences.first?.frames.count ?? 0
        let asked =
            names.isEmpty ? Output.all : names.compactMap { name in Output.all.first { $0.name == name } }
        outputs = asked.map { output in
            OutputTensor(
                name: output.name, datatype: output.datatype,
                shape: [sequences.count] + output.shape.map { $0 < 0 ? frames : $0 },
                rows: zip(predictions, sequences).map { output.values($0, $1.frames) })
        }
        let leftOut = zip(predictions, sequences).enumerated().flatMap { row, pair in
            pair.0.leftOut.map { problem in
                let place = pair.1.frames.firstIndex(of: problem.path)
                return LeftOut(sequence: row + 1, frame: place.map { $0 + 1 }, reason: problem.reason)
            }
        }
        parameters =
            leftOut.isEmpty
            ? nil : Parameters(leftOut: String(decoding: try JSON.line(leftOut), as: UTF8.self))
    }
}
