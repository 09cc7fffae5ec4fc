import Foundation
import Hummingbird
import Jersey

/// An inference request of the Open Inference Protocol. There is one input, `frames`, of base64 texts of JPEG or PNG images: of shape [T]
/// for one sequence of T frames, or [B, T] for B of them.
struct InferRequest: Decodable, Sendable {
    static let inputName = "frames"
    static let datatype = "BYTES"

    /// A name that strangers give, short enough to be compared with ours and told to them again.
    private struct Name: Decodable {
        static let longest = 100
        let text: String

        init(from decoder: any Decoder) throws {
            text = try decoder.singleValueContainer().decode(String.self)
            guard text.utf8.count <= Self.longest else {
                let place = decoder.codingPath.last?.stringValue ?? "a name"
                throw ServiceError(
                    .badRequest, "\(place) has \(text.utf8.count) bytes, more than the limit of \(Self.longest); shorten it")
            }
        }
    }

    struct Input: Decodable, Sendable {
        static let mostDimensions = 8

        let name: String
        let shape: [Int]
        let datatype: String
        /// Row after row.
        let data: [String]

        private enum CodingKeys: CodingKey { case name, shape, datatype, data }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(Name.self, forKey: .name).text
            shape = try container.decode([Int].self, forKey: .shape)
            guard shape.count <= Self.mostDimensions else {
                throw ServiceError(
                    .badRequest, "the shape of '\(name)' has \(shape.count) numbers; it is [frames] or [sequences, frames]")
            }
            datatype = try container.decode(Name.self, forKey: .datatype).text
            guard datatype == InferRequest.datatype else {
                throw ServiceError(
                    .badRequest, "the input '\(name)' is \(datatype); frames are \(InferRequest.datatype), as base64 texts")
            }
            // The protocol allows rows to be lists of their own.
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
    /// All of them where nil or empty.
    let outputs: [RequestedOutput]?

    private enum CodingKeys: CodingKey { case id, inputs, outputs }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(Name.self, forKey: .id)?.text
        inputs = try container.decode([Input].self, forKey: .inputs)
        outputs = try container.decodeIfPresent([RequestedOutput].self, forKey: .outputs)
        let most = InferResponse.Output.all.count
        guard outputs?.count ?? 0 <= most else {
            throw ServiceError(.badRequest, "the request asks for \(outputs?.count ?? 0) outputs, and there are \(most)")
        }
    }

    /// - Throws: `ServiceError` for outputs that are not known.
    func check() throws {
        let known = InferResponse.Output.all.map(\.name)
        if let other = outputs?.first(where: { !known.contains($0.name) }) {
            let error = UsageError.unknown("output", other.name, among: known)
            throw ServiceError(.badRequest, error.description)
        }
    }

    /// - Throws: `ServiceError` for inputs that are not as the model takes them.
    func sequences(_ upload: inout Upload) throws -> [Upload.Sequence] {
        let limits = upload.limits
        guard inputs.count == 1, let input = inputs.first, input.name == Self.inputName else {
            throw ServiceError(
                .badRequest,
                "there is one input, '\(Self.inputName)', and not \(inputs.count == 1 ? "'\(inputs[0].name)'" : "\(inputs.count) of them")"
            )
        }
        let shape = input.shape
        let data = input.data
        guard 1...2 ~= shape.count, shape.allSatisfy({ 1...limits.frames ~= $0 }) else {
            throw ServiceError(
                .badRequest,
                "the shape of '\(Self.inputName)' is [frames] or [sequences, frames], each 1...\(limits.frames), and not \(shape)"
            )
        }
        guard shape.reduce(1, *) == data.count else {
            throw ServiceError(.badRequest, "the shape \(shape) is for \(shape.reduce(1, *)) frames, and data has \(data.count)")
        }
        let count = shape.count == 2 ? shape[0] : 1
        let length = shape[shape.count - 1]
        guard count <= limits.sequences else {
            throw ServiceError(
                .contentTooLarge, "the request has \(count) sequences, more than the limit of \(limits.sequences); send several")
        }
        return try (0..<count).map { row in
            let frames = try (0..<length).map { column in
                let place = row * length + column
                return (
                    name: "\(column + 1)",
                    bytes: try PredictRequest.base64(data[place], "\(Self.inputName), entry \(place + 1)", upload)
                )
            }
            return try upload.sequence("\(row + 1)", frames)
        }
    }
}
