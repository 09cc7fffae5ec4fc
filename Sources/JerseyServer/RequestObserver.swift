import Foundation
import HTTPTypes
import Hummingbird
import Jersey
import Logging

/// Wraps all routes: assigns request ids, refuses forbidden requests, turns errors into responses,
/// counts and logs.
struct RequestObserver: RouterMiddleware {
    typealias Context = ServiceContext

    let metrics: ServiceMetrics
    let registry: ModelRegistry
    let allowed: AllowedRequests

    private static let idField = HTTPField.Name("x-request-id")!

    func handle(
        _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        metrics.inProgress.add(1)
        defer { metrics.inProgress.add(-1) }
        let id = request.headers[Self.idField].flatMap(Self.accepted) ?? UUID().uuidString.lowercased()
        var context = context
        context.logger[metadataKey: "request_id"] = "\(id)"
        var response: Response
        var trouble: (any Error)?
        do {
            try allowed.check(request.head, local: context.channel.localAddress)
            if let preflight = allowed.preflight(request.head) {
                response = preflight
            } else {
                response = try await next(request, context)
            }
        } catch {
            trouble = error
            response = ServiceError(error).response
        }
        response.headers[Self.idField] = id
        allowed.admitPage(request.head, to: &response)
        // The page loads nothing from other sites, and other sites may not embed it.
        response.headers[.contentSecurityPolicy] =
            "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'"
        response.headers[.xContentTypeOptions] = "nosniff"
        if registry.isDraining { response.headers[.connection] = "close" }

        // Clients can invent methods and paths; label only known routes.
        let isRoute = context.endpointPath.map { $0.hasPrefix("/") } ?? false
        let route = isRoute ? "\(request.method) \(context.endpointPath ?? "")" : "other"
        let seconds = (ContinuousClock.now - start).seconds
        metrics.requests.add(1, route, Outcome(response.status).rawValue)
        metrics.request.observe(seconds, route)
        log(request, response.status, seconds, trouble, context.logger)
        return response
    }

    /// The client's request id, if it is safe for a log and a header.
    private static func accepted(_ id: String) -> String? {
        let bytes = id.utf8
        return 1...128 ~= bytes.count && bytes.allSatisfy({ $0.isLetterOrDigit || $0.isOne(of: "._:-") })
            ? id : nil
    }

    /// Few values, to keep the number of time series small.
    enum Outcome: String, CaseIterable {
        case answered, refused, rejected, abandoned, unavailable, failed

        init(_ status: HTTPResponse.Status) {
            self =
                switch status.code {
                case 200..<400: .answered
                case 429: .rejected
                case 499: .abandoned
                case 503: .unavailable
                case 400..<500: .refused
                default: .failed
                }
        }
    }

    private func log(
        _ request: Request, _ status: HTTPResponse.Status, _ seconds: Double, _ trouble: (any Error)?,
        _ logger: Logger
    ) {
        var metadata: Logger.Metadata = [
            "method": "\(request.method)", "path": "\(request.uri.path)",
            "status": .stringConvertible(status.code),
            "milliseconds": .stringConvertible((seconds * 1e5).rounded() / 100),
        ]
        if let trouble { metadata["error"] = "\(trouble)" }
        let isFailure = status.code >= 500 && status != .serviceUnavailable
        // Probes and scrapes come every few seconds; log them at debug level.
        let isRoutine = request.method == .get && status.code < 400
        logger.log(level: isFailure ? .error : isRoutine ? .debug : .info, "request", metadata: metadata)
    }
}
