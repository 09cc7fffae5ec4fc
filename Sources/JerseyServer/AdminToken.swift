import Hummingbird

/// What a request has to show that changes something: `Authorization: Bearer TOKEN`. Without a token all such requests are refused.
struct AdminToken: Sendable {
    private let token: [UInt8]?

    init(_ token: String?) {
        self.token = token.map { Array($0.utf8) }
    }

    /// - Throws: `ServiceError` where the request does not show the token.
    func check(_ request: Request) throws {
        guard let token else {
            throw ServiceError(
                .forbidden, "this service takes no changes, as it was started without a token for them")
        }
        let words = (request.headers[.authorization] ?? "").split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer", Self.isSame(token, Array(words[1].utf8)) else {
            throw ServiceError(.unauthorized, "changes need the header Authorization: Bearer with this service's token")
        }
    }

    /// Takes the same time wherever the first difference is, which would tell a guesser how far he is right.
    private static func isSame(_ token: [UInt8], _ guess: [UInt8]) -> Bool {
        guard token.count == guess.count else { return false }
        return zip(token, guess).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
