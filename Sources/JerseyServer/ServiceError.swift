import Foundation
import Hummingbird
import Jersey

/// Why a request failed: an HTTP status, what is wrong, and what to do.
struct ServiceError: Error, Equatable, CustomStringConvertible {
    let status: HTTPResponse.Status
    let description: String
    /// Seconds after which to retry; nil if that would not help.
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ description: String, retryAfter: Int? = nil) {
        // The text may quote the client, so it is escaped and cut.
        self.status = status
        self.description = Shown.text(description, limit: 1000)
        self.retryAfter = retryAfter
    }

    /// nginx's status for a client that did not wait for its response. Only the log shows it.
    static let clientLeft = ServiceError(
        .init(code: 499, reasonPhrase: "Client Closed Request"), "the client has left")

    /// Converts any error thrown while answering a request. Errors about files and images contain
    /// local paths; the client sees only the last component.
    init(_ error: any Error) {
        switch error {
        case let error as ServiceError: self = error
        case let error as FileError:
            self.init(
                .unprocessableContent,
                "\(error.path.lastName) \(error.reason)" + (error.advice.map { "; \($0)" } ?? ""))
        case let error as UsageError: self.init(.unprocessableContent, error.description)
        case let error as ImageError:
            self.init(.unprocessableContent, "\(error.name.lastName) \(error.reason)")
        case let error as any HTTPResponseError:
            self.init(error.status, error.status.reasonPhrase.lowercased())
        case is CancellationError: self = .clientLeft
        default: self.init(.internalServerError, "internal error; see the log for this request's id")
        }
    }

    /// `{"error": "…"}`.
    var json: String {
        (try? JSON.line(["error": description])).map { String(decoding: $0, as: UTF8.self) }
            ?? #"{"error":"internal"}"#
    }

    /// The response in both protocols.
    var response: Response {
        var response = Response(json: Data(json.utf8), status: status)
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}
