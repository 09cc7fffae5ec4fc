import Foundation
import Hummingbird
import HummingbirdTesting
import Jersey
import Synchronization
import TestSupport
import Testing

@testable import JerseyServer

/// The service over time: loading, load, draining.
@Suite struct ServiceTests {
    private static func body() throws -> String { "{\"frames\": [\"\(try png().base64EncodedString())\"]}" }

    @Test
    func
        `Until its models are loaded, and once it drains, the service is alive, not ready, and takes no requests`()
        async throws
    {
        let latch = Latch()
        let registry = ModelRegistry(["stub"]) { _, _ in
            try await latch.wait()
            return StubModel()
        }
        let subject = try await Subject([StubModel()])
        let handler = PredictionHandler(
            registry, subject.settings, decoders: Subject.decoders, metrics: subject.metrics)
        let app = Application(
            router: try JerseyService.router(handler, subject.settings), logger: Subject.silence)
        try await app.test(.router) { client in
            func expectClosed(_ words: String) async throws {
                #expect(try await client.get("/v2/health/live").status == .ok)
                #expect(try await client.get("/v2/health/ready").status == .serviceUnavailable)
                #expect(try await client.get("/v2/models/stub/ready").status == .serviceUnavailable)
                let answer = try await client.post("/v1/predict", json: try Self.body())
                #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "1")
                #expect(answer.error?.contains(words) == true)
            }
            async let loading: Void = registry.loadAll()
            try await expectClosed("is loading")
            latch.open()
            try await loading
            #expect(try await client.get("/v2/health/ready").status == .ok)
            #expect(try await client.post("/v1/predict", json: try Self.body()).status == .ok)
            registry.drain()
            try await expectClosed("is shutting down")
            #expect(try await client.get("/v2").headers[.connection] == "close")
        }
    }

    @Test func `A full service refuses new requests with 429 and answers those it has`()
        async throws
    {
        let latch = Latch()
        let stub = StubModel { try await latch.wait() }
        let subject = try await Subject([stub]) { $0.queue = 2 }
        try await subject.ask { client async throws in
            let inside = try (0..<2).map { _ in
                let body = try Self.body()
                return Task { try await client.post("/v1/predict", json: body) }
            }
            try await eventually("two are in") { stub.seen.count == 2 }
            let rejected = try await client.post("/v1/predict", json: try Self.body())
            #expect(rejected.status == .tooManyRequests && rejected.headers[.retryAfter] == "1")
            latch.open()
            for task in inside { #expect(try await task.value.status == .ok) }
            #expect(try await client.post("/v1/predict", json: try Self.body()).status == .ok)
        }
    }

    @Test func `Bodies that together exceed the memory are refused with 429`()
        async throws
    {
        let subject = try await Subject([StubModel()]) { $0.memory = 100 }
        try await subject.ask { client async throws in
            #expect(
                try await client.post("/v1/predict", json: String(repeating: " ", count: 101)).status
                    == .tooManyRequests)
            // The room is released.
            #expect(try await client.post("/v1/predict", json: "{}").status == .badRequest)
            #expect(
                try await client.post("/v1/predict", json: String(repeating: " ", count: 100)).status
                    == .badRequest)
        }
    }

    @Test func `Pictures take room, too, however small the bodies are that they come in`() async throws {
        // A single colour: a few hundred bytes that decode to 120,000.
        let png = try RGBImage(width: 200, height: 200, pixels: Array(repeating: 90, count: 120_000))
            .pngData()
        let body = "{\"frames\": [\"\(png.base64EncodedString())\"]}"
        for (room, status) in [(100_000, HTTPResponse.Status.tooManyRequests), (150_000, .ok)] {
            let subject = try await Subject([StubModel()]) { $0.memory = room }
            try await subject.ask { client async throws in
                for _ in 0..<2 { #expect(try await client.post("/v1/predict", json: body).status == status) }
            }
        }
    }

    @Test func `Room that was given back is not taken by a thread that still decodes`() async throws {
        let room = Admission.Room(requests: 1, bytes: 10)
        let admission = Admission(room, ofClient: room)
        let late = try await admission.withMemoryPermit("a") { permit in
            try permit.take(5)
            return permit
        }
        #expect(throws: ServiceError.self) { try late.take(5) }
        try await admission.withMemoryPermit("a") { try $0.take(10) }
    }

    @Test func `A model is reloaded only with the token, and off is the default`() async throws {
        let token = "0123456789abcdef"
        let path = "/v2/repository/models/stub/load"
        try await Subject([StubModel()]).ask { client async throws in
            #expect(
                try await client.post(path, json: "", headers: [.authorization: "Bearer \(token)"]).status
                    == .forbidden)
        }
        try await Subject([StubModel()]) { $0.adminToken = token }.ask { client async throws in
            for wrong in [
                "", "Bearer", "Bearer 0123456789abcdeg", "Bearer 0123456789abcde", "Basic \(token)",
            ] {
                let answer = try await client.post(path, json: "", headers: [.authorization: wrong])
                #expect(answer.status == .unauthorized && answer.headers[.wwwAuthenticate] == "Bearer")
            }
            #expect(
                try await client.post(path, json: "", headers: [.authorization: "Bearer \(token)"]).status
                    == .ok)
            let other = try await client.post(
                "/v2/repository/models/x/load", json: "", headers: [.authorization: "bearer \(token)"])
            #expect(other.status == .notFound)
        }
    }

    @Test
    func
        `A reloaded model answers from then on, requests in flight end with the former one, and a failure changes nothing`()
        async throws
    {
        let latch = Latch()
        let fails = Mutex(false)
        let registry = ModelRegistry(["stub"]) { name, version in
            if fails.withLock({ $0 }) { throw FileError("w", "is broken") }
            return StubModel(name, version: version) { if version == 1 { try await latch.wait() } }
        }
        try await registry.loadAll()
        let former = try registry.model("stub")
        let sequence = FrameSequence(id: "s", track: "s", number: nil, frames: ["1"], anchor: nil)
        async let underWay = former.predict([sequence])
        try await registry.load("stub")
        #expect(try registry.model("stub").about.version == 2)
        latch.open()
        #expect(try await underWay.count == 1)
        fails.withLock { $0 = true }
        await #expect(throws: FileError.self) { try await registry.load("stub") }
        #expect(try registry.model("stub").about.version == 2 && registry.isReady)
    }

    @Test func `Requests continue while weights are swapped under them, and none is lost`() async throws {
        let folder = try TestFolder()
        let file = folder.url.appendingPathComponent("m.safetensors")
        try Checkpoint.bundled().write(try Checkpoint.bundled().card, to: file)
        var settings = ServerSettings()
        settings.threads = 1
        let (decoders, metrics) = (Subject.decoders, ServiceMetrics())
        let registry = ModelRegistry(["m"]) { [settings] name, version in
            try await ServedModel(
                named: name, version: version, from: file.path, settings, decoders: decoders, metrics: metrics
            )
        }
        try await registry.loadAll()
        let image = picture(width: 40, height: 40)
        let isOver = Mutex(false)
        let asking = Task {
            var versions: Set<Int> = []
            while !isOver.withLock({ $0 }) {
                let model = try registry.model("m")
                let sequence = FrameSequence(
                    id: "s", track: "s", number: nil, frames: ["1"], images: [image], anchor: nil)
                #expect(try await model.predict([sequence]).first?.confidence != nil)
                versions.insert(model.about.version)
            }
            return versions
        }
        for _ in 0..<4 { try await registry.load("m") }
        try await eventually("the last answers") { try registry.model("m").about.version == 5 }
        try await Task.sleep(for: .milliseconds(50))
        isOver.withLock { $0 = true }
        #expect(try await asking.value.count > 1)
        try Data("broken".utf8).write(to: file)
        await #expect(throws: FileError.self) { try await registry.load("m") }
        #expect(try registry.model("m").about.version == 5)
    }

    @Test(arguments: [false, true])
    func `A long sequence is read in windows that are combined, as the command does`(anytime: Bool)
        async throws
    {
        var settings = ServerSettings()
        settings.earlyExit = anytime
        let model = try await ServedModel(
            named: "m", version: 1, from: nil, settings, decoders: Subject.decoders, metrics: ServiceMetrics()
        )
        let images = (0..<40).map { picture($0, width: 30, height: 30) }
        let sequence = FrameSequence(
            id: "s", track: "t", number: nil, frames: images.indices.map { "\($0)" }, images: images,
            anchor: nil)
        let served = try await model.predict([sequence])
        let checkpoint = try Checkpoint.bundled()
        var options = Recognizer.Options()
        options.device = .cpu
        options.earlyExit = anytime
        let expected = try Recognizer(checkpoint, path: "m", options: options).predictions(of: [sequence])
        #expect(served.count == 1 && served[0].windows == expected[0].windows && (served[0].windows ?? 0) > 1)
        #expect(zip(served[0].tens, expected[0].tens).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(served[0].frames.map(\.path) == expected[0].frames.map(\.path))
    }

    @Test func `Loading a model while the service loads its own is a conflict, and the service continues`()
        async throws
    {
        let latch = Latch()
        let registry = ModelRegistry(["one", "two"]) { name, version in
            try await latch.wait()
            return StubModel(name, version: version)
        }
        func expectConflict(_ name: String) async {
            let error = await #expect(throws: ServiceError.self) { try await registry.load(name) }
            #expect(error?.status == .conflict)
        }
        // The service accepts connections before it loads the first model.
        await expectConflict("two")
        async let loading: Void = registry.loadAll()
        for name in registry.names { await expectConflict(name) }
        latch.open()
        try await loading
        #expect(registry.isReady)
        #expect(try await registry.load("two").version == 2)
    }

    @Test func `Settings that make no sense are refused by name`() {
        var settings = ServerSettings()
        settings.models = [("a", nil), ("a", nil)]
        #expect(throws: UsageError.self) { try settings.check() }
        settings.models = [("a/b", nil)]
        #expect(throws: UsageError.self) { try settings.check() }
        settings.models = [("crops-2.1_b", "w.safetensors")]
        #expect(throws: Never.self) { try settings.check() }
    }
}
