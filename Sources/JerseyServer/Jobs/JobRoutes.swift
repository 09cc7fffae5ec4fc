import Foundation
import Hummingbird
import Jersey

/// Videos of matches. They take minutes, so a request only begins a job, and others ask for it.
enum JobRoutes {
    /// Its bodies have limits of their own.
    static let videoPath = "/v1/predict/video"

    static func add(to router: Router<ServiceContext>, _ handler: PredictionHandler) {
        router.post(RouterPath(videoPath)) { request, context in
            let status = try await submit(request, context, handler)
            var response = Response(json: try JSON.line(status), status: .accepted)
            response.headers[.location] = "/v1/jobs/\(status.id)"
            return response
        }
        router.get("/v1/jobs/{job}") { _, context in
            Response(json: try JSON.line(handler.jobs.status(context.parameters.require("job"))))
        }
        router.delete("/v1/jobs/{job}") { _, context in
            Response(json: try JSON.line(handler.jobs.cancel(context.parameters.require("job"))))
        }
        router.get("/v1/jobs/{job}/result") { _, context in
            Response(json: try handler.jobs.result(context.parameters.require("job")))
        }
    }

    private static func submit(
        _ request: Request, _ context: ServiceContext, _ handler: PredictionHandler
    ) async throws -> JobStatus {
        let client = Connections.client(of: context.channel)
        let model = try handler.registry.model(request.uri.queryParameters["model"].map(String.init))
        let tracking = try tracking(request)
        let type = ContentType(request.headers[.contentType])
        guard type.isForm || type.isVideo else {
            throw ServiceError(
                .unsupportedMediaType,
                "send a video as multipart/form-data, video/… or application/octet-stream, not as '\(type.value)'"
            )
        }
        try handler.jobs.take(client)
        do {
            let file = try UploadedFile()
            try await handler.receive(request, context, most: handler.limits.videoBytes, chunks: .max) {
                chunk in
                // Disks may be slow, and the threads of requests must not wait.
                try await handler.decoders.run(.init()) { _ in
                    try chunk.withUnsafeReadableBytes { try file.append($0) }
                }
            }
            let job = try await handler.decoders.run(.unknown) { _ in
                let (video, name, roster) = try parts(file, type)
                return VideoJob(name: name, file: video, roster: roster, tracking: tracking, model: model)
            }
            return try handler.jobs.submit(job, of: client)
        } catch {
            handler.jobs.giveUp(client)
            throw error
        }
    }

    private static func tracking(_ request: Request) throws -> PlayerTracker.Options {
        var options = PlayerTracker.Options()
        // A job has one thread.
        options.lookedAtTogether = 1
        if try V1Routes.isSet("everyone", request) { options.who = .everybody }
        if let text = request.uri.queryParameters["detect_every"] {
            guard let every = Int(text), 1...1000 ~= every else {
                throw ServiceError(.badRequest, "detect_every must be 1...1000, not '\(text)'")
            }
            options.detectEvery = every
        }
        return options
    }

    private static let mostRosterBytes = 1 << 20

    /// The video in a body and its name, and the roster.
    private static func parts(_ file: UploadedFile, _ type: ContentType) throws -> (
        UploadedFile.Part, name: String, Roster?
    ) {
        let body = try file.mapped()
        guard type.isForm else {
            guard !body.isEmpty else { throw ServiceError(.badRequest, "the body is empty; send a video") }
            return (UploadedFile.Part(file: file, range: 0..<file.count), "video", nil)
        }
        let form = try Multipart(body, boundary: type.parameters["boundary"], limit: 2)
        let known = ["video", "roster"]
        if let other = form.parts.first(where: { !known.contains($0.name) }) {
            throw ServiceError(
                .badRequest, UsageError.unknown("field", other.name, among: known).description)
        }
        let films = form.parts.filter { $0.name == "video" }
        guard films.count == 1 else {
            throw ServiceError(
                .badRequest, "the form needs one file named 'video', and may have one named 'roster'")
        }
        let roster = try form.parts.first { $0.name == "roster" }.map { part in
            guard part.content.count <= mostRosterBytes else {
                throw ServiceError(.contentTooLarge, "the roster has more than \(mostRosterBytes >> 20) MiB")
            }
            return try Roster(Data(part.content), named: Upload.plain(part.file, or: "roster"))
        }
        let content = films[0].content
        return (
            UploadedFile.Part(file: file, range: content.startIndex..<content.endIndex),
            Upload.plain(films[0].file, or: "video"), roster
        )
    }
}

extension ContentType {
    fileprivate var isForm: Bool { value == "multipart/form-data" }
    fileprivate var isVideo: Bool { value.hasPrefix("video/") || value == "application/octet-stream" }
}
