import Hummingbird

/// Checks the admin token (`Authorization: Bearer TOKEN`) of requests that change the server.
/// Without a token configured, all of them are refused.
struct AdminToken: Sendable {
    private let token: [UInt8]?

    init(_ token: String?) {
        self.token = token.map { Array($0.utf8) }
    }

    /// - Throws: `ServiceError` if the request lacks the token.
    func check(_ request: Request) throws {
        guard let token else {
            throw ServiceError(
                .forbidden, "this service has no admin token; start it with --admin-token-file")
        }
        let words = (request.headers[.authorization] ?? "").split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer", Self.isSame(token, Array(words[1].utf8))
        else {
            throw ServiceError(
                .unauthorized,
                "this request needs the header Authorization: Bearer with the service's admin token")
        }
    }

    /// Takes the same time wherever the first difference is. Otherwise a guesser could find the
    /// token byte by byte.
    private static func isSame(_ token: [UInt8], _ guess: [UInt8]) -> Bool {
        guard token.count == guess.count else { return false }
        return zip(token, guess).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
