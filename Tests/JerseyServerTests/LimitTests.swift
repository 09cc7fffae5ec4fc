import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Jersey
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import JerseyServer

/// The costs allowed to a request and to a client.
@Suite struct LimitTests {
    @Test(arguments: ServiceLimit.all.map(\.name))
    func `A limit is set by its name, within its range, and told where it is documented`(name: String) throws
    {
        let limit = try #require(ServiceLimit.all.first { $0.name == name })
        var settings = ServerSettings()
        #expect(limit.range ~= limit.value(in: settings))
        for value in [limit.range.lowerBound, limit.range.upperBound] {
            try ServiceLimit.set("\(name)=\(value)", in: &settings)
            #expect(limit.value(in: settings) == value)
            // Nothing else changes.
            for other in ServiceLimit.all where other.name != name {
                #expect(other.value(in: settings) == other.value(in: ServerSettings()), "\(other.name)")
            }
        }
        for word in [
            name, "\(name)=", "\(name)=x", "\(name)=\(limit.range.upperBound + 1)", "\(name)=-1",
            "x\(name)=1",
        ] {
            #expect(throws: UsageError.self) { try ServiceLimit.set(word, in: &settings) }
        }
        let page = try String(
            contentsOf: Places.repository.appendingPathComponent("docs/reference/http.md"), encoding: .utf8)
        let row = "| `\(name)` | \(limit.value(in: ServerSettings())) | \(limit.summary) |"
        #expect(page.contains(row), "docs/reference/http.md has no row \(row)")
    }

    @Test(arguments: ["inputs", "outputs", "datatype", "id"])
    func `A name of megabytes in a request is neither compared, nor logged, nor repeated`(place: String)
        async throws
    {
        let long = String(repeating: "x", count: 8 << 20)
        let frames = #""shape": [1], "datatype": "BYTES", "data": ["AA=="]"#
        let json =
            switch place {
            case "inputs": #"{"inputs": [{"name": "\#(long)", \#(frames)}]}"#
            case "outputs":
                #"{"inputs": [{"name": "frames", \#(frames)}], "outputs": [{"name": "\#(long)"}]}"#
            case "datatype":
                #"{"inputs": [{"name": "frames", "shape": [1], "datatype": "\#(long)", "data": ["AA=="]}]}"#
            default: #"{"id": "\#(long)", "inputs": [{"name": "frames", \#(frames)}]}"#
            }
        try await Subject([StubModel()]).ask { client async throws in
            let answer = try await client.post("/v2/models/stub/infer", json: json)
            #expect(
                answer.status == .badRequest && answer.text.utf8.count < 300, "\(answer.text.prefix(400))")
        }
    }

    @Test func `Lists of names and shapes are bounded, too, and an error is a sentence whatever it quotes`()
        async throws
    {
        try await Subject([StubModel()]).ask { client async throws in
            let names = Array(repeating: #"{"name": "number"}"#, count: 20_000).joined(separator: ",")
            let numbers = Array(repeating: "1", count: 50_000).joined(separator: ",")
            let input = #"{"name": "frames", "shape": [\#(numbers)], "datatype": "BYTES", "data": []}"#
            for json in [#"{"inputs": [], "outputs": [\#(names)]}"#, #"{"inputs": [\#(input)]}"#] {
                let answer = try await client.post("/v2/models/stub/infer", json: json)
                #expect(answer.status == .badRequest && answer.text.utf8.count < 1200)
            }
        }
        #expect(ServiceError(.badRequest, String(repeating: "a", count: 5000)).description.count <= 1000)
    }

    @Test func `One client's requests and bytes leave room for others'`() async throws {
        let admission = Admission(.init(requests: 3, bytes: 100), ofClient: .init(requests: 2, bytes: 60))
        try await admission.withMemoryPermit("a") { permit in
            try permit.take(60)
            #expect(throws: ServiceError.self) { try permit.take(1) }
            try await admission.withMemoryPermit("a") { other in
                _ = #expect(throws: ServiceError.self) { try other.take(1) }
            }
            try await admission.withMemoryPermit("b") { other in
                // The last eighth is reserved for clients that hold little.
                try other.take(28)
                #expect(throws: ServiceError.self) { try other.take(1) }
                try await admission.withMemoryPermit("c") { third in
                    try third.take(3)
                    #expect(throws: ServiceError.self) { try third.take(1) }
                }
            }
            permit.release(10)
            try permit.take(10)
        }
        try await admission.withMemoryPermit("a") { try $0.take(60) }
        try await admission.admitted("a") {
            try await admission.admitted("a") {
                #expect(throws: ServiceError.self) { try admission.check("a") }
                try admission.check("b")
                try await admission.admitted("b") {
                    _ = #expect(throws: ServiceError.self) { try admission.check("c") }
                }
            }
        }
        try admission.check("a")
    }

    @Test func `Clients are served in turns, each in its own order`() {
        var queue = FairQueue<Int>()
        for number in 0..<5 { queue.append(number, of: "a") }
        queue.append(10, of: "b")
        queue.append(20, of: "c")
        queue.append(11, of: "b")
        let removed = [("a", 3), ("a", 3), ("c", 20)].map { client, number in
            queue.remove(of: client) { $0 == number }
        }
        #expect(removed == [3, nil, 20])
        #expect(queue.count == 6)
        #expect(Set(queue.heads) == [0, 10])
        let taken = (0..<7).map { _ in queue.popFirst() }
        #expect(taken == [0, 10, 1, 11, 2, 4, nil])
        #expect(queue.isEmpty)
    }

    @Test
    func `A new connection takes the place of the one that is idle the longest, of its own client first`()
        throws
    {
        final class Wire: Sendable {}
        let connections = Connections(most: 4, mostOfClient: 2)
        let closed = Mutex<[Int]>([])
        let wires = (0..<8).map { _ in Wire() }
        func enter(_ index: Int, _ client: String, isIdle: Bool = true) throws {
            try connections.enter(ObjectIdentifier(wires[index]), of: client, isIdle: isIdle) {
                closed.withLock { $0.append(index) }
            }
        }
        try enter(0, "a")
        try enter(1, "a")
        try enter(0, "a", isIdle: false)
        connections.rest(ObjectIdentifier(wires[0]))
        try enter(2, "a")
        #expect(closed.withLock { $0 } == [1])
        try enter(0, "a", isIdle: false)
        try enter(2, "a", isIdle: false)
        let own = #expect(throws: ServiceError.self) { try enter(3, "a") }
        #expect(own?.status == .tooManyRequests)
        try enter(3, "b")
        try enter(4, "c")
        // All slots are taken. An idle connection of the client with the most gives way.
        try enter(3, "b", isIdle: false)
        try enter(5, "d")
        #expect(closed.withLock { $0 } == [1, 4])
        try enter(5, "d", isIdle: false)
        #expect(throws: ServiceError.self) { try enter(6, "e") }
        connections.leave(ObjectIdentifier(wires[0]))
        try enter(6, "e")
    }

    @Test func `A request on a connection whose place was given away takes another, or is refused`() throws {
        let connections = Connections(most: 9, mostOfClient: 2)
        let channels = try (0..<3).map { _ in
            let channel = EmbeddedChannel(handler: ConnectionGuard(RequestLimits(), connections))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80)).wait()
            return channel
        }
        func begin(_ index: Int) throws -> Int? {
            let head = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/")
            try channels[index].writeInbound(HTTPRequestPart.head(head))
            guard case .head(let answer) = try channels[index].readOutbound(as: HTTPResponsePart.self) else {
                return nil
            }
            return answer.status.code
        }
        // The third has taken the first one's place, but the first does not know yet.
        #expect(try begin(0) == nil)
        #expect(try begin(2) == nil)
        #expect(try begin(1) == 429)
        for channel in channels { channel.embeddedEventLoop.run() }
        #expect(try channels[0].readInbound(as: HTTPRequestPart.self) != nil)
        #expect(try channels[1].readInbound(as: HTTPRequestPart.self) == nil)
        // The answer on the first connection is its last.
        try channels[0].writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        guard case .head(let answer) = try channels[0].readOutbound(as: HTTPResponsePart.self) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.headerFields[.connection] == "close")
        // Connections that are told to end get time for it.
        for channel in channels { channel.embeddedEventLoop.advanceTime(by: .hours(1)) }
    }

    @Test
    func
        `A request that takes too long gets an error, and a service that answers nothing else is not ready`()
        async throws
    {
        let isSlow = Mutex(true)
        let stub = StubModel { if isSlow.withLock({ $0 }) { try await Latch().wait() } }
        let subject = try await Subject([stub]) { $0.limits.seconds = 10 }
        let body = "{\"frames\": [\"\(try png().base64EncodedString())\"]}"
        let handler = subject.handler
        let app = Application(
            router: try JerseyService.router(handler, subject.settings), logger: Subject.silence)
        try await app.test(.router) { client in
            #expect(try await client.get("/v2/health/ready").status == .ok)
            let answer = try await client.post("/v1/predict", json: body)
            #expect(
                answer.status == .serviceUnavailable && answer.error?.contains("timed out after 10 s") == true
            )
            #expect(try await client.get("/v2/health/ready").status == .serviceUnavailable)
            #expect(try await client.get("/v2/health/live").status == .ok)
            isSlow.withLock { $0 = false }
            #expect(try await client.post("/v1/predict", json: body).status == .ok)
            #expect(try await client.get("/v2/health/ready").status == .ok)
            // At the very end, all are told.
            isSlow.withLock { $0 = true }
            async let last = client.post("/v1/predict", json: body)
            try await eventually("it is under way") { stub.seen.count == 3 }
            handler.underWay.endAll(ServiceError(.serviceUnavailable, "over"))
            #expect(try await last.error == "over")
        }
    }

    @Test func `A service with a request long past its deadline is not ready until that request ends`()
        async throws
    {
        let handler = try await Subject([StubModel()]).handler
        let router = Router(context: ServiceContext.self)
        router.get("/") { request, context in
            var limits = RequestLimits()
            limits.seconds = try request.uri.queryParameters.require("seconds", as: Int.self)
            let work = Work(limits, of: "a")
            // The request does not stop for this.
            work.end(.clientLeft)
            return try await handler.underWay.run(work, context) { handler.isReady ? "ready" : "not ready" }
        }
        let app = Application(router: router, logger: Subject.silence)
        try await app.test(.router) { client async throws in
            for (seconds, expected) in [(60, "ready"), (0, "ready"), (-11, "not ready")] {
                #expect(try await client.get("/?seconds=\(seconds)").text == expected)
                #expect(handler.isReady)
            }
        }
    }

    @Test func `A log without a reader loses lines, counts them, and blocks no request`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let writer = LogWriter(ends[1])
        let line = Data((String(repeating: "x", count: 999) + "\n").utf8)
        let start = ContinuousClock.now
        for _ in 0..<3000 { writer.add(line) }
        writer.flush(seconds: 0.1)
        #expect(ContinuousClock.now - start < .seconds(60) && writer.dropped > 1000)
        let dropped = writer.dropped
        // What a pipe and the queue hold together.
        #expect(dropped < 3000 - 1000)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var lines = 0
        while lines < 3000 - dropped {
            lines += buffer[..<read(ends[0], &buffer, buffer.count)].count { $0 == 10 }
        }
        writer.flush(seconds: 10)
        writer.add(line)
        writer.flush(seconds: 10)
        #expect(writer.dropped == dropped)
        close(ends[0])
        // Nor does a closed one.
        writer.add(line)
        writer.flush(seconds: 10)
    }

    @Test func `A line of the log is short, whatever is in it`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let writer = LogWriter(ends[1])
        let logger = Logger(label: "test") { _ in JSONLogHandler(writer: writer) }
        logger.info("request", metadata: ["path": "\(String(repeating: "y", count: 1 << 20))"])
        writer.flush(seconds: 10)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        #expect(read(ends[0], &buffer, buffer.count) < 2000)
        close(ends[0])
        close(ends[1])
    }
}
