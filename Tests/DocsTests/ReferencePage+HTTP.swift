import Foundation

@testable import JerseyServer

extension ReferencePage {
    static let http = ReferencePage(name: "http") {
        let operations = try OpenAPI.operations()
        let routes = operations.map { ["`\($0.method) \($0.path)`", escaped($0.summary), $0.types, $0.statuses] }
        let limits = ServiceLimit.all.map { ["`\($0.name)`", "\($0.value(in: ServerSettings()))", escaped($0.summary)] }
        return """
            # HTTP

            The interface of `jersey serve`. The service describes it for programs under `GET /openapi.json`, an OpenAPI 3.1 \
            document, from which this page takes its routes. [serve.md](../guides/serve.md) says how to run the service, and \
            [security.md](../security.md) what it promises.

            ## Routes

            \(table(["route", "what", "body", "statuses"], routes))

            ## Reading

            `POST /v1/predict` reads one player. The body is a form, with `frames` once for each picture in time order or with \
            one `video`; or it is JSON, `{"frames": ["base64", …]}` or `{"frames": [{"name": "1.jpg", "data": "base64"}, …]}`.

            `POST /v1/predict/archive` reads a zip, tar or tar.gz file with a folder for each player. The archive is the body, or \
            the field `archive` of a form.

            `?model=NAME` chooses among several models. `?pictures=true` adds small pictures of the frames to the answer.

            The answer is a [prediction](files.md#predictions), as in `jersey predict --format json`: one object, or a list for \
            an archive. A frame that cannot be decoded is named under `left_out`. The request is refused if none can be decoded.

            ## The Open Inference Protocol

            The routes under `/v2` follow the Open Inference Protocol. A model has one input, `frames`, of type BYTES: JPEG or \
            PNG images in base64. Its shape is `[frames]` for one sequence and `[sequences, frames]` for several. The extension \
            for binary data is not supported.

            There is a row for each sequence in every output:

            | output | type | what |
            | --- | --- | --- |
            | `number` | BYTES | the number; empty where none was read |
            | `confidence` | FP64 | its probability |
            | `unreadable` | BOOL | whether the confidence is below the model's threshold |
            | `tens` | FP64 | probabilities of 0 to 9 and of no tens digit |
            | `ones` | FP64 | probabilities of 0 to 9 |
            | `weights` | FP64 | the share of each frame in the decision; 0 for frames that early exit did not need |

            Frames that could not be read are listed under `left_out` in the answer's `parameters`, as a JSON text: a list of \
            `sequence` and `frame`, counted from 1, and `reason`. There is no `frame` where the whole sequence is meant.

            ## Errors

            An error is `{"error": "…"}`: what is wrong, where, and what to do. Every answer has the header `x-request-id`, which \
            is the client's or a new one. `Retry-After` says when to come again.

            \(table(["status", "meaning"], OpenAPI.meanings(of: operations)))

            The log has 499 for a client that left before its answer.

            ## Limits

            `jersey serve --limit NAME=VALUE` sets one. `GET /openapi.json` has those in force.

            \(table(["name", "default", "what is limited"], limits))

            Fixed limits: JSON has at most 100 nested lists and objects and 100,000 values; a body 65,536 chunks; a head 32 KiB; \
            names of inputs, outputs and types 100 bytes. Names of frames and sequences are cut to 60 characters. Archives follow \
            the rules of [predict.md](../guides/predict.md#archives), with entries of at most 16 MiB and twice a body's bytes in \
            all. `--connections` (512) and `--queue` (64) limit the service as a whole.

            """
    }
}

/// The service's own description.
private enum OpenAPI {
    struct Operation {
        let method: String
        let path: String
        let summary: String
        /// The content types of the body.
        let types: String
        let answers: [String: String]

        var statuses: String { answers.keys.sorted().joined(separator: ", ") }
    }

    private static let methods = ["get", "post"]

    /// All operations except those for the page's own files, in order of their paths.
    static func operations() throws -> [Operation] {
        let document = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json)) as? [String: Any]
        let paths = document?["paths"] as? [String: [String: [String: Any]]] ?? [:]
        return paths.sorted { $0.key < $1.key }.filter { !$0.key.contains(".") || $0.key == "/openapi.json" }
            .flatMap { path, operations in
                methods.compactMap { method in
                    operations[method].map { operation in
                        let body = operation["requestBody"] as? [String: Any]
                        let types = (body?["content"] as? [String: Any] ?? [:]).keys.sorted()
                        let answers = operation["responses"] as? [String: [String: Any]] ?? [:]
                        return Operation(
                            method: method.uppercased(), path: path, summary: operation["summary"] as? String ?? "",
                            types: types.map { "`\($0)`" }.joined(separator: ", "),
                            answers: answers.mapValues { $0["description"] as? String ?? Self.forbidden(document) })
                    }
                }
            }
    }

    /// The document defines responses shared by several operations once.
    private static func forbidden(_ document: [String: Any]?) -> String {
        let components = document?["components"] as? [String: [String: [String: Any]]]
        return components?["responses"]?["Forbidden"]?["description"] as? String ?? ""
    }

    /// A row for each error status, with all its meanings.
    static func meanings(of operations: [Operation]) -> [[String]] {
        let statuses = Set(operations.flatMap(\.answers.keys)).filter { $0 != "200" }.sorted()
        return statuses.map { status in
            [status, Set(operations.compactMap { $0.answers[status] }).sorted().joined(separator: " ")]
        }
    }
}
