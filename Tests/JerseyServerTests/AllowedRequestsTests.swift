import Foundation
import HTTPTypes
import HummingbirdTesting
import Jersey
import NIOCore
import Testing

@testable import JerseyServer

/// A page that a user visits must not act as the user.
@Suite struct AllowedRequestsTests {
    private static func allowed(_ change: (inout ServerSettings) -> Void = { _ in }) throws -> AllowedRequests
    {
        var settings = ServerSettings()
        change(&settings)
        return try AllowedRequests(settings)
    }

    private static func request(_ host: String?, _ fields: HTTPFields = [:], path: String = "/v2")
        -> HTTPRequest
    {
        HTTPRequest(method: .get, scheme: "http", authority: host, path: path, headerFields: fields)
    }

    @Test(arguments: [
        ("localhost", true), ("LocalHost:8080", true), ("127.0.0.1:1", true), ("[::1]:8080", true),
        ("[0:0:0:0:0:0:0:1]", true),
        ("numbers.example.org", true), ("10.1.2.3:8080", true), ("[fd00::7]", true), ("evil.example", false),
        ("10.1.2.4", false),
        ("localhost.evil.example", false), ("localhost@evil.example", false), ("127.0.0.1.nip.io", false),
        ("0.0.0.0", false),
        ("[::]", false), ("", false), ("localhost,evil.example", false), ("localhost:99999999", false),
        ("2130706433", false),
    ])
    func
        `A request is for a host that is known: this machine's, the one listened at, and those that are allowed`(
            host: String, isKnown: Bool
        ) throws
    {
        let allowed = try Self.allowed {
            $0.host = "0.0.0.0"
            $0.allowedHosts = ["Numbers.example.org", "[fd00::7]"]
        }
        let local = try SocketAddress(ipAddress: "10.1.2.3", port: 8080)
        if isKnown {
            #expect(throws: Never.self) { try allowed.check(Self.request(host), local: local) }
        } else {
            let error = #expect(throws: ServiceError.self) {
                try allowed.check(Self.request(host), local: local)
            }
            #expect(error?.status == .forbidden && error?.description.contains("--allowed-host") == true)
        }
    }

    @Test
    func `An address is the same in any notation, and a request without a host is not from a browser`()
        throws
    {
        let allowed = try Self.allowed()
        let local = try SocketAddress(ipAddress: "::ffff:10.1.2.3", port: 1)
        #expect(throws: Never.self) { try allowed.check(Self.request("10.1.2.3"), local: local) }
        #expect(throws: Never.self) { try allowed.check(Self.request(nil), local: nil) }
        #expect(throws: ServiceError.self) { try allowed.check(Self.request("10.1.2.3"), local: nil) }
    }

    private static let site = HTTPField.Name("Sec-Fetch-Site")!

    @Test(arguments: [
        ("http://localhost:8080", nil, true), ("http://LOCALHOST:8080", "same-origin", true),
        ("https://a.example", "cross-site", true),
        ("https://a.example:443", nil, true), ("http://a.example", nil, false),
        ("https://a.example:8443", nil, false),
        ("http://localhost", nil, false), ("http://localhost:3000", "same-site", false), ("null", nil, false),
        ("http://localhost:8080", "cross-site", false), ("http://evil.example", "cross-site", false),
        ("evil", nil, false),
        ("https://a.example.evil.example", nil, false), ("https://a.example/x", nil, false),
        (nil, "cross-site", false),
        (nil, "same-origin", true), (nil, "none", true), (nil, nil, true),
    ])
    func `A page may use the service that came from it, or whose origin is allowed`(
        origin: String?, site: String?, isAllowed: Bool
    ) throws {
        let allowed = try Self.allowed { $0.allowedOrigins = ["https://A.example"] }
        var fields: HTTPFields = [:]
        fields[.origin] = origin
        fields[Self.site] = site
        let request = Self.request("localhost:8080", fields)
        if isAllowed {
            #expect(throws: Never.self) { try allowed.check(request, local: nil) }
        } else {
            let error = #expect(throws: ServiceError.self) { try allowed.check(request, local: nil) }
            #expect(error?.status == .forbidden && error?.description.contains("--allowed-origin") == true)
        }
    }

    @Test func `Behind a proxy with a certificate a page's origin has another scheme, and is the same`()
        throws
    {
        let allowed = try Self.allowed { $0.allowedHosts = ["numbers.example.org"] }
        for (origin, host, isSame) in [
            ("https://numbers.example.org", "numbers.example.org", true),
            ("https://numbers.example.org", "numbers.example.org:443", true),
            ("https://numbers.example.org:8443", "numbers.example.org:8443", true),
            ("https://numbers.example.org", "numbers.example.org:80", false),
        ] {
            let request = Self.request(host, [.origin: origin])
            let isTaken = (try? allowed.check(request, local: nil)) != nil
            #expect(isTaken == isSame, "\(origin) at \(host)")
        }
    }

    @Test func `A link to the page may be followed from anywhere, and to nothing else`() throws {
        let allowed = try Self.allowed()
        var fields: HTTPFields = [Self.site: "cross-site"]
        fields[HTTPField.Name("Sec-Fetch-Mode")!] = "navigate"
        fields[HTTPField.Name("Sec-Fetch-Dest")!] = "document"
        #expect(throws: Never.self) {
            try allowed.check(Self.request("localhost", fields, path: "/"), local: nil)
        }
        #expect(throws: ServiceError.self) {
            try allowed.check(Self.request("localhost", fields, path: "/metrics"), local: nil)
        }
        fields[HTTPField.Name("Sec-Fetch-Dest")!] = "iframe"
        #expect(throws: ServiceError.self) {
            try allowed.check(Self.request("localhost", fields, path: "/"), local: nil)
        }
    }

    @Test(arguments: ["a b", "a.example:80", "http://a.example", ""])
    func `An invalid host is refused when the service starts`(host: String) {
        #expect(throws: UsageError.self) { try Self.allowed { $0.allowedHosts = [host] } }
    }

    @Test(arguments: ["a.example", "*", "null", "ftp://a.example", "https://a.example/"])
    func `An invalid origin is refused when the service starts`(origin: String) {
        #expect(throws: UsageError.self) { try Self.allowed { $0.allowedOrigins = [origin] } }
    }

    @Test
    func
        `Whatever is refused is a 403 with the way out, for every route, and an allowed page is answered as browsers want it`()
        async throws
    {
        let subject = try await Subject([StubModel()]) { $0.allowedOrigins = ["https://a.example"] }
        let method = HTTPField.Name.accessControlRequestMethod
        try await subject.ask { client async throws in
            for path in ["/", "/v2", "/metrics", "/nowhere", "/v1/predict"] {
                let answer = try await client.execute(
                    uri: path, method: .post, headers: [.origin: "http://evil.example"], body: nil
                ) { $0 }
                #expect(answer.status == .forbidden && answer.error?.contains("--allowed-origin") == true)
                #expect(answer.headers[.accessControlAllowOrigin] == nil)
            }
            func preflight(_ origin: String) async throws -> TestResponse {
                try await client.execute(
                    uri: "/v1/predict", method: .options, headers: [.origin: origin, method: "POST"]
                ) { $0 }
            }
            #expect(try await preflight("http://evil.example").status == .forbidden)
            let answer = try await preflight("https://a.example")
            #expect(
                answer.status == .noContent
                    && answer.headers[.accessControlAllowOrigin] == "https://a.example")
            #expect(
                answer.headers[.accessControlAllowMethods]?.contains("POST") == true
                    && answer.headers[.vary] == "Origin")
            #expect(answer.headers[.accessControlAllowHeaders]?.contains("content-type") == true)
            // The page can also read errors.
            let error = try await client.post(
                "/v1/predict", json: "{}", headers: [.origin: "https://a.example"])
            #expect(
                error.status == .badRequest && error.headers[.accessControlAllowOrigin] == "https://a.example"
            )
            #expect(try await client.get("/v2").headers[.accessControlAllowOrigin] == nil)
        }
    }
}
