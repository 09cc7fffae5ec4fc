import Foundation
import Hummingbird
import Jersey

/// An inference request of the Open Inference Protocol. Its one input, `frames`, has base64 strings
/// of JPEG or PNG images, with shape [T] for one sequence of T frames, or [B, T] for B sequences.
struct InferRequest: Decodable, Sendable {
    static let inputName = "frames"
    static let datatype = "BYTES"

    /// A name from the client, short enough to compare and to echo.
    private struct Name: Decodable {
        static let longest = 100
        let text: String

        init(from decoder: any Decoder) throws {
            text = try decoder.singleValueContainer().decode(String.self)
            guard text.utf8.count <= Self.longest else {
                let place = decoder.codingPath.last?.stringValue ?? "a name"
                throw ServiceError(
                    .badRequest,
                    "\(place) has \(text.utf8.count) bytes, more than the limit of \(Self.longest); shorten it"
                )
            }
        }
    }

    struct Input: Decodable, Sendable {
        static let mostDimensions = 8

        let name: String
        let shape: [Int]
        let datatype: String
        /// In row-major order.
        let data: [String]

        private enum CodingKeys: CodingKey { case name, shape, datatype, data }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(Name.self, forKey: .name).text
            shape = try container.decode([Int].self, forKey: .shape)
            guard shape.count <= Self.mostDimensions else {
                throw ServiceError(
                    .badRequest,
                    "the shape of '\(name)' has \(shape.count) dimensions; use [frames] or [sequences, frames]"
                )
            }
            datatype = try container.decode(Name.self, forKey: .datatype).text
            guard datatype == InferRequest.datatype else {
                throw ServiceError(
                    .badRequest,
                    "the input '\(name)' is \(datatype); send frames as \(InferRequest.datatype), base64 strings"
                )
            }
            // The protocol also allows nested lists.
            if let rows = try? container.decode([[String]].self, forKey: .data) {
                data = rows.flatMap { $0 }
            } else {
                data = try container.decode([String].self, forKey: .data)
            }
        }
    }

    struct RequestedOutput: Decodable, Sendable {
        let name: String

        private enum CodingKeys: CodingKey { case name }

        init(from decoder: any Decoder) throws {
            name = try decoder.container(keyedBy: CodingKeys.self).decode(Name.self, forKey: .name).text
        }
    }

    let id: String?
    let inputs: [Input]
    /// All outputs if nil or empty.
    let outputs: [RequestedOutput]?

    private enum CodingKeys: CodingKey { case id, inputs, outputs }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(Name.self, forKey: .id)?.text
        inputs = try container.decode([Input].self, forKey: .inputs)
        outputs = try container.decodeIfPresent([RequestedOutput].self, forKey: .outputs)
        let most = InferResponse.Output.all.count
        guard outputs?.count ?? 0 <= most else {
            throw ServiceError(
                .badRequest, "the request asks for \(outputs?.count ?? 0) outputs, but there are only \(most)"
            )
        }
    }

    /// - Throws: `ServiceError` for unknown outputs.
    func check() throws {
        let known = InferResponse.Output.all.map(\.name)
        if let other = outputs?.first(where: { !known.contains($0.name) }) {
            let error = UsageError.unknown("output", other.name, among: known)
            throw ServiceError(.badRequest, error.description)
        }
    }

    /// - Throws: `ServiceError` for inputs that the model does not accept.
    func sequences(_ upload: inout Upload) throws -> [Upload.Sequence] {
        let limits = upload.limits
        guard inputs.count == 1, let input = inputs.first, input.name == Self.inputName else {
            throw ServiceError(
                .badRequest,
                "send one input, '\(Self.inputName)', not \(inputs.count == 1 ? "'\(inputs[0].name)'" : "\(inputs.count)")"
            )
        }
        let shape = input.shape
        let data = input.data
        guard 1...2 ~= shape.count, shape.allSatisfy({ 1...limits.frames ~= $0 }) else {
            throw ServiceError(
                .badRequest,
                "the shape of '\(Self.inputName)' must be [frames] or [sequences, frames], each 1...\(limits.frames), not \(shape)"
            )
        }
        guard shape.reduce(1, *) == data.count else {
            throw ServiceError(
                .badRequest,
                "the shape \(shape) needs \(shape.reduce(1, *)) frames, but data has \(data.count)")
        }
        let count = shape.count == 2 ? shape[0] : 1
        let length = shape[shape.count - 1]
        guard count <= limits.sequences else {
            throw ServiceError(
                .contentTooLarge,
                "the request has \(count) sequences, more than the limit of \(limits.sequences); send several requests"
            )
        }
        return try (0..<count).map { row in
            let frames = try (0..<length).map { column in
                let place = row * length + column
                return (
                    name: "\(column + 1)",
                    bytes: try PredictRequest.base64(
                        data[place], "\(Self.inputName), entry \(place + 1)", upload)
                )
            }
            return try upload.sequence("\(row + 1)", frames)
        }
    }
}
