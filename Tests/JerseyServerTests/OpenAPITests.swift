import Hummingbird
import HummingbirdTesting
import Jersey
import TestSupport
import Testing

@testable import JerseyServer

/// The service's description of itself, `/openapi.json`.
@Suite struct OpenAPITests {
    @Test func `The document lists the routes, all of them and no other`() async throws {
        let subject = try await Subject([StubModel()])
        let routes = try JerseyService.routes(subject.handler, subject.settings).routes
        let served = Set(routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" })
        let document = try await subject.ask {
            try await $0.get("/openapi.json").json("paths") as? [String: [String: Any]]
        }
        let described = Set(
            try #require(document).flatMap { path, item in item.keys.map { "\($0) \(path)" } })
        #expect(served == described)
    }

    @Test func `The document tells the limits as they are set`() async throws {
        let subject = try await Subject([StubModel()]) { ($0.limits.frames, $0.memory) = (77, 33 << 20) }
        let text = try await subject.ask {
            try #require(try await $0.get("/openapi.json").json("info", "description") as? String)
        }
        #expect(text.contains("frames=77: ") && text.contains("; memory=33: ") && !text.contains("${"))
    }
}
