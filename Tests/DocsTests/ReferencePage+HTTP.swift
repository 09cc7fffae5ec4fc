import Foundation

@testable import JerseyServer

extension ReferencePage {
    static let http = ReferencePage(name: "http") {
        let operations = try OpenAPI.operations()
        let routes = operations.map {
            ["`\($0.method) \($0.path)`", escaped($0.summary), $0.types, $0.statuses]
        }
        let limits = ServiceLimit.all.map {
            ["`\($0.name)`", "\($0.value(in: ServerSettings()))", escaped($0.summary)]
        }
        return """
            # HTTP

            The HTTP API of `jersey serve`. `GET /openapi.json` describes it for programs as an OpenAPI 3.1 document, from \
            which this page takes its routes. See [serve.md](../guides/serve.md) for running the service, and \
            [security.md](../security.md) for its guarantees.

            ## Routes

            \(table(["route", "what", "body", "statuses"], routes))

            ## Reading

            `POST /v1/predict` reads one player. The body is a form with one `frames` field per picture in time order, or with \
            one `video`. It can also be JSON: `{"frames": ["base64", …]}` or `{"frames": [{"name": "1.jpg", "data": "base64"}, …]}`.

            `POST /v1/predict/archive` reads a zip, tar or tar.gz file with one folder per player. The archive is the body, or \
            the field `archive` of a form.

            `POST /v1/predict/video` takes the video of a match: the body, or the field `video` of a form, which may have a field \
            `roster`, too. The answer is a job, with its path in `Location`. `GET /v1/jobs/{job}` tells its `state` (`queued`, `running`, \
            `done` or `failed`), its `step` (`following`, `reading`), the `frame` of about `frames`, and an `error`. \
            `GET /v1/jobs/{job}/result` gives `players` and `tracks`, as `jersey predict VIDEO --format json`. `DELETE /v1/jobs/{job}` stops \
            a job and forgets it. See [serve.md](../guides/serve.md#matches).

            `?model=NAME` selects one of several models. `?pictures=true` adds small pictures of the frames to the answer.

            The answer is a [prediction](files.md#predictions), as in `jersey predict --format json`: one object, or a list for \
            an archive. Frames that cannot be decoded are listed under `left_out`. If none can be decoded, the request is refused.

            ## The Open Inference Protocol

            The routes under `/v2` follow the Open Inference Protocol. A model has one input, `frames`, of type BYTES: JPEG or \
            PNG images in base64. Its shape is `[frames]` for one sequence and `[sequences, frames]` for several. The extension \
            for binary data is not supported.

            Every output has one row per sequence:

            | output | type | what |
            | --- | --- | --- |
            | `number` | BYTES | the number; empty if none was read |
            | `confidence` | FP64 | the number's probability |
            | `unreadable` | BOOL | whether the confidence is below the model's threshold |
            | `tens` | FP64 | probabilities of 0 to 9 and of blank (no tens digit) |
            | `ones` | FP64 | probabilities of 0 to 9 |
            | `weights` | FP64 | each frame's share in the decision; 0 for frames that early exit skipped |

            The answer's `parameters` list frames that could not be read under `left_out`, as JSON text: a list of \
            `sequence` and `frame`, counted from 1, and `reason`. Without `frame`, the entry concerns the whole sequence.

            ## Errors

            An error is `{"error": "…"}`. It says what is wrong, where, and what to do. Every answer has the header \
            `x-request-id`, with the client's id or a new one. `Retry-After` says when to retry.

            \(table(["status", "meaning"], OpenAPI.meanings(of: operations)))

            The log records 499 for a client that disconnected before its answer.

            ## Limits

            `jersey serve --limit NAME=VALUE` sets a limit. `GET /openapi.json` lists the current limits.

            \(table(["name", "default", "what is limited"], limits))

            Fixed limits: JSON can have at most 100 nested lists and objects and 100,000 values; a body 65,536 chunks; a head \
            32 KiB; names of inputs, outputs and types 100 bytes. Names of frames and sequences are truncated to 60 characters. \
            Archives follow the rules of [predict.md](../guides/predict.md#archives), with entries of at most 16 MiB and a total \
            of at most twice the body limit. `--connections` (512) and `--queue` (64) limit the whole service.

            """
    }
}

/// The service's description of itself.
private enum OpenAPI {
    struct Operation {
        let method: String
        let path: String
        let summary: String
        /// Media types of the body.
        let types: String
        let answers: [String: String]

        var statuses: String { answers.keys.sorted().joined(separator: ", ") }
    }

    private static let methods = ["get", "post"]

    /// Operations in the order of their paths, without the web page's files.
    static func operations() throws -> [Operation] {
        let document =
            try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json)) as? [String: Any]
        let paths = document?["paths"] as? [String: [String: [String: Any]]] ?? [:]
        return paths.sorted { $0.key < $1.key }.filter { !$0.key.contains(".") || $0.key == "/openapi.json" }
            .flatMap { path, operations in
                methods.compactMap { method in
                    operations[method].map { operation in
                        let body = operation["requestBody"] as? [String: Any]
                        let types = (body?["content"] as? [String: Any] ?? [:]).keys.sorted()
                        let answers = operation["responses"] as? [String: [String: Any]] ?? [:]
                        return Operation(
                            method: method.uppercased(), path: path,
                            summary: operation["summary"] as? String ?? "",
                            types: types.map { "`\($0)`" }.joined(separator: ", "),
                            answers: answers.mapValues {
                                $0["description"] as? String ?? Self.forbidden(document)
                            })
                    }
                }
            }
    }

    /// The document states shared refusals once.
    private static func forbidden(_ document: [String: Any]?) -> String {
        let components = document?["components"] as? [String: [String: [String: Any]]]
        return components?["responses"]?["Forbidden"]?["description"] as? String ?? ""
    }

    /// One row per error status, with all its meanings.
    static func meanings(of operations: [Operation]) -> [[String]] {
        let statuses = Set(operations.flatMap(\.answers.keys)).filter { $0 != "200" }.sorted()
        return statuses.map { status in
            [status, Set(operations.compactMap { $0.answers[status] }).sorted().joined(separator: " ")]
        }
    }
}
