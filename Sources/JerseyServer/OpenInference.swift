import Foundation
import HTTPTypes
import Hummingbird
import Jersey

/// The Open Inference Protocol, version 2, over REST (github.com/kserve/open-inference-protocol),
/// with listing and loading from its model repository extension.
enum OpenInference {
    static func add(to router: Router<ServiceContext>, _ handler: PredictionHandler, admin: AdminToken) {
        addService(to: router, handler)
        for path in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
            addModel(to: router, path, handler)
        }
        addRepository(to: router, handler.registry, admin)
    }

    /// Sent by clients that append binary tensors to the JSON.
    private static let binaryExtension = HTTPField.Name("inference-header-content-length")!

    private static func addService(to router: Router<ServiceContext>, _ handler: PredictionHandler) {
        router.get("/v2") { _, _ in
            Response(json: try JSON.line(ServerMetadata()))
        }
        router.get("/v2/health/live") { _, _ in
            Response(json: try JSON.line(["live": true]))
        }
        router.get("/v2/health/ready") { _, _ in
            let isReady = handler.isReady
            return Response(
                json: try JSON.line(["ready": isReady]), status: isReady ? .ok : .serviceUnavailable)
        }
    }

    private static func addModel(
        to router: Router<ServiceContext>, _ path: String, _ handler: PredictionHandler
    ) {
        let registry = handler.registry
        router.get(RouterPath(path)) { _, context in
            let model = try registry.model(
                context.parameters.require("model"), version: context.parameters.get("version"))
            return Response(json: try JSON.line(ModelMetadata(model.about)))
        }
        router.get(RouterPath(path + "/ready")) { _, context in
            let name = try context.parameters.require("model")
            let isReady = try registry.isReady(name)
            // An unknown version is an error, not a model that is not ready.
            if isReady { _ = try registry.model(name, version: context.parameters.get("version")) }
            return Response(
                json: try JSON.line(ReadyAnswer(name: name, ready: isReady)),
                status: isReady ? .ok : .serviceUnavailable)
        }
        router.post(RouterPath(path + "/infer")) { request, context in
            let model = try context.parameters.require("model")
            let version = context.parameters.get("version")
            guard request.headers[Self.binaryExtension] == nil else {
                throw ServiceError(
                    .badRequest,
                    "the binary data extension is not supported; send frames as base64 strings in 'data'")
            }
            return try await handler.respond(to: request, context, model: model, version: version) {
                body, upload in
                let asked = try JSONBody.decoded(
                    InferRequest.self, from: body, depth: upload.limits.jsonDepth)
                try asked.check()
                return (asked, try asked.sequences(&upload))
            } answer: { about, asked, read in
                try JSON.line(InferResponse(about, asked, read))
            }
        }
    }

    private static func addRepository(
        to router: Router<ServiceContext>, _ registry: ModelRegistry, _ admin: AdminToken
    ) {
        router.post("/v2/repository/index") { _, _ in
            let loaded = Dictionary(
                uniqueKeysWithValues: registry.models.map { ($0.about.name, $0.about.version) })
            let rows = registry.names.map { name in
                RepositoryRow(
                    name: name, version: loaded[name].map(String.init) ?? "",
                    state: loaded[name] == nil ? "UNAVAILABLE" : "READY",
                    reason: loaded[name] == nil ? "loading" : "")
            }
            return Response(json: try JSON.line(rows))
        }
        router.post("/v2/repository/models/{model}/load") { request, context in
            try admin.check(request)
            let name = try context.parameters.require("model")
            let about = try await registry.load(name)
            context.logger.notice("loaded", metadata: ["model": "\(name)", "version": "\(about.version)"])
            return Response(json: try JSON.line(["name": name]))
        }
    }

    private struct ServerMetadata: Encodable {
        let name = "jersey"
        let version = jerseyVersion
        let extensions = ["model_repository"]
    }

    private struct ReadyAnswer: Encodable {
        let name: String
        let ready: Bool
    }

    private struct RepositoryRow: Encodable {
        let name, version, state, reason: String
    }
}
