import Foundation
import Hummingbird
import Jersey

/// The body of `POST /v1/predict`: JSON, or a form.
enum PredictRequest {
    /// `{"frames": ["base64", …]}`, or with names
    /// `{"frames": [{"name": "1.jpg", "data": "base64"}, …]}`. `sequence` is the sequence's name.
    private struct Body: Decodable {
        let sequence: String?
        let frames: [Frame]
    }

    private struct Frame: Decodable {
        let name: String?
        let data: String

        private enum CodingKeys: CodingKey { case name, data }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                name = nil
                data = text
                return
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decodeIfPresent(String.self, forKey: .name)
            data = try container.decode(String.self, forKey: .data)
        }
    }

    /// - Parameter type: the body's.
    /// - Throws: `ServiceError` that names the mistake; what `Upload` throws.
    static func sequence(_ body: Data, _ type: ContentType, _ upload: inout Upload) throws -> Upload.Sequence
    {
        switch type.value {
        case "application/json": try json(body, &upload)
        case "multipart/form-data": try form(body, type, &upload)
        default:
            throw ServiceError(
                .unsupportedMediaType,
                "send frames as application/json or multipart/form-data, not as '\(type.value)'; archives go to /v1/predict/archive"
            )
        }
    }

    private static func json(_ body: Data, _ upload: inout Upload) throws -> Upload.Sequence {
        let request = try JSONBody.decoded(Body.self, from: body, depth: upload.limits.jsonDepth)
        let frames = try request.frames.enumerated().map { index, frame in
            (
                name: Upload.plain(frame.name, or: "\(index + 1)"),
                bytes: try base64(frame.data, "frames, entry \(index + 1)", upload)
            )
        }
        return try upload.sequence(Upload.plain(request.sequence, or: "upload"), frames)
    }

    private static func form(_ body: Data, _ type: ContentType, _ upload: inout Upload) throws
        -> Upload.Sequence
    {
        // One more field, for the sequence's name.
        let form = try Multipart(body, boundary: type.parameters["boundary"], limit: upload.limits.frames + 1)
        let known = ["frames", "video", "sequence"]
        if let other = form.parts.first(where: { !known.contains($0.name) }) {
            let error = UsageError.unknown("field", other.name, among: known)
            throw ServiceError(.badRequest, error.description)
        }
        let id = Upload.plain(
            form.parts.first { $0.name == "sequence" }.map { String(decoding: $0.content, as: UTF8.self) },
            or: "upload")
        let frames = form.parts.filter { $0.name == "frames" }
        let films = form.parts.filter { $0.name == "video" }
        guard let film = films.first else {
            return try upload.sequence(
                id, frames.enumerated().map { (Upload.plain($1.file, or: "\($0 + 1)"), $1.content) })
        }
        guard films.count == 1 && frames.isEmpty else {
            throw ServiceError(
                .badRequest, "a form may have either frames or one video; send a request for each sequence")
        }
        return upload.film(id, film.content, named: Upload.plain(film.file, or: "video"))
    }

    static func base64(_ text: String, _ place: String, _ upload: Upload) throws -> Data {
        try upload.take(text.utf8.count / 4 * 3)
        guard let data = Data(base64Encoded: text) ?? Data(anyBase64: text) else {
            throw ServiceError(
                .badRequest, "\(place): is not base64; encode the bytes of a JPEG or PNG image")
        }
        return data
    }
}

extension Data {
    /// Base64 as programs write it: behind `data:image/jpeg;base64,`, in lines, with `-` and `_` for
    /// URLs, or without the padding at the end. Nil for other text.
    init?(anyBase64 text: String) {
        var bytes = text.utf8[...]
        if bytes.starts(with: "data:".utf8) {
            guard let comma = bytes.prefix(200).firstIndex(of: UInt8(ascii: ",")),
                String(decoding: bytes[..<comma], as: UTF8.self).lowercased().hasSuffix(";base64")
            else { return nil }
            bytes = bytes[bytes.index(after: comma)...]
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count + 3)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t")...UInt8(ascii: "\r"): continue
            case UInt8(ascii: "-"): plain.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): plain.append(UInt8(ascii: "/"))
            default: plain.append(byte)
            }
        }
        while plain.last == UInt8(ascii: "=") { plain.removeLast() }
        plain += [UInt8](repeating: UInt8(ascii: "="), count: (4 - plain.count % 4) % 4)
        self.init(base64Encoded: Data(plain))
    }
}
