import Foundation
import Hummingbird
import Jersey

/// Why a request is not answered as it was meant: a status, what was wrong where, and the way out.
struct ServiceError: Error, Equatable, CustomStringConvertible {
    let status: HTTPResponse.Status
    let description: String
    /// Seconds after which to try again; nil where that would not help.
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ description: String, retryAfter: Int? = nil) {
        // What a client has sent comes back cut to a length, and fit to be shown.
        self.status = status
        self.description = Shown.text(description, limit: 1000)
        self.retryAfter = retryAfter
    }

    /// nginx' status for a client that did not wait for its answer; nobody sees it but the log.
    static let clientLeft = ServiceError(.init(code: 499, reasonPhrase: "Client Closed Request"), "the client has left")

    /// Whatever was thrown while a request was answered. Errors of files and images are for whoever is at this machine, and name its paths;
    /// a client learns the last name of them.
    init(_ error: any Error) {
        switch error {
        case let error as ServiceError: self = error
        case let error as FileError:
            self.init(.unprocessableContent, "\(error.path.lastName) \(error.reason)" + (error.advice.map { "; \($0)" } ?? ""))
        case let error as UsageError: self.init(.unprocessableContent, error.description)
        case let error as ImageError: self.init(.unprocessableContent, "\(error.name.lastName) \(error.reason)")
        case let error as any HTTPResponseError: self.init(error.status, error.status.reasonPhrase.lowercased())
        case is CancellationError: self = .clientLeft
        default: self.init(.internalServerError, "something went wrong here; the log has more under this request's id")
        }
    }

    /// `{"error": "…"}`.
    var json: String {
        (try? JSON.line(["error": description])).map { String(decoding: $0, as: UTF8.self) } ?? #"{"error":"internal"}"#
    }

    /// What both protocols have for an error.
    var response: Response {
        var response = Response(json: Data(json.utf8), status: status)
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}
