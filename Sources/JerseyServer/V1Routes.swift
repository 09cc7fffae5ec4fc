import Foundation
import Hummingbird
import Jersey

/// The service's own routes: one request per player, answered like `jersey predict --format json`.
enum V1Routes {
    static func add(to router: Router<ServiceContext>, _ handler: PredictionHandler) {
        router.post("/v1/predict") { request, context in
            let type = ContentType(request.headers[.contentType])
            let isIllustrated = try isSet("pictures", request)
            return try await handler.respond(
                to: request, context, model: model(of: request), pictures: isIllustrated
            ) {
                body, upload in
                ((), [try PredictRequest.sequence(body, type, &upload)])
            } answer: { _, _, read in
                guard let answer = answers(read).first else { throw ServiceError.clientLeft }
                return try JSON.line(answer)
            }
        }
        router.post("/v1/predict/archive") { request, context in
            let type = ContentType(request.headers[.contentType])
            let isIllustrated = try isSet("pictures", request)
            return try await handler.respond(
                to: request, context, model: model(of: request), pictures: isIllustrated
            ) {
                body, upload in
                let (bytes, name) = try archive(body, type)
                return ((), [upload.archive(bytes, named: name)])
            } answer: { _, _, read in
                try JSON.line(answers(read))
            }
        }
    }

    private static func answers(_ read: [ReadSequence]) -> [PredictionAnswer] {
        read.map { PredictionAnswer(prediction: $0.prediction, pictures: $0.pictures) }
    }

    /// The body itself, or the only file of a form.
    private static func archive(_ body: Data, _ type: ContentType) throws -> (Data, String) {
        let plain = ["application/zip", "application/x-tar", "application/gzip", "application/octet-stream"]
        // What browsers and older programs call the same.
        let others = [
            "application/x-zip-compressed", "application/x-zip", "application/x-gzip", "application/x-gtar",
            "application/x-compressed", "application/x-compressed-tar", "application/x-tgz",
            "application/tar",
            "application/x-gtar-compressed", "multipart/x-zip",
        ]
        if plain.contains(type.value) || others.contains(type.value) { return (body, "archive") }
        guard type.value == "multipart/form-data" else {
            throw ServiceError(
                .unsupportedMediaType,
                "send an archive as \(plain.joined(separator: ", ")) or multipart/form-data, not as '\(type.value)'"
            )
        }
        let parts = try Multipart(body, boundary: type.parameters["boundary"], limit: 1).parts
        guard let part = parts.first, part.name == "archive" else {
            throw ServiceError(.badRequest, "the form needs one file named 'archive'")
        }
        return (part.content, Upload.plain(part.file, or: "archive"))
    }

    private static func model(of request: Request) -> String? {
        request.uri.queryParameters["model"].map(String.init)
    }

    /// - Throws: `ServiceError` unless a parameter of the query is true, false or missing.
    static func isSet(_ name: String, _ request: Request) throws -> Bool {
        switch request.uri.queryParameters[name[...]] {
        case nil, "false": return false
        case "true": return true
        case let other?: throw ServiceError(.badRequest, "\(name) must be true or false, not '\(other)'")
        }
    }
}
