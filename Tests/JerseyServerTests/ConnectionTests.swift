import Foundation
import Hummingbird
import HummingbirdTesting
import Jersey
import Synchronization
import TestSupport
import Testing

@testable import JerseyServer

/// A raw connection, which can also break the rules of HTTP.
private final class Wire: @unchecked Sendable {
    private var socket: Int32

    init(port: Int) throws {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close()
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func closeSending() { shutdown(socket, Int32(SHUT_WR)) }

    /// Closes once. Afterwards the descriptor's number may belong to another file, such as the
    /// service's end.
    func close() {
        guard socket >= 0 else { return }
        Foundation.close(socket)
        socket = -1
    }

    /// Receives until the other side closes, or `end` arrives.
    func receive(until end: String? = nil) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while end.map({ !text.contains($0) }) ?? true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }
}

@Suite struct ConnectionTests {
    /// Runs a service, and a body with its port. The body runs outside the concurrency pool,
    /// because sockets block.
    private func withService(
        _ model: any Predicting, limits: RequestLimits = RequestLimits(),
        _ change: (inout ServerSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let subject = try await Subject([model]) {
            ($0.host, $0.limits) = ("127.0.0.1", limits)
            change(&$0)
        }
        try await subject.app.test(.live) { client in
            // This client has a connection too. The service must know of it before the test's own,
            // if the limits let it live that long.
            _ = try? await client.execute(uri: "/v2/health/live", method: .get)
            try await body(try #require(client.port))
        }
    }

    /// Runs `body` on its own thread.
    private func blocking<Output: Sendable>(_ body: @escaping @Sendable () throws -> Output) async throws
        -> Output
    {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result { try body() }) }.start()
        }
    }

    private static func request(_ body: String, length: Int? = nil, more: String = "") -> String {
        "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(length ?? body.utf8.count)\r\n\(more)\r\n\(body)"
    }

    private static func frames() throws -> String { "{\"frames\": [\"\(try png().base64EncodedString())\"]}" }

    @Test func `Nothing more is done for a client that has left`() async throws {
        let isCancelled = Mutex(false)
        let latch = Latch()
        let stub = StubModel {
            do { try await latch.wait() } catch {
                isCancelled.withLock { $0 = true }
                throw error
            }
        }
        try await withService(stub) { port in
            let body = try Self.frames()
            let wire = try Wire(port: port)
            wire.send(Self.request(body))
            try await eventually("the model is asked") { stub.seen.count == 1 }
            wire.close()
            try await eventually("the work is cancelled") { isCancelled.withLock { $0 } }
        }
    }

    @Test
    func
        `A client that closes its side in the middle of a request is refused, and one that does after it has left`()
        async throws
    {
        let latch = Latch()
        try await withService(StubModel { try await latch.wait() }) { port in
            let body = try Self.frames()
            let (cut, whole) = try await blocking {
                let cut = try Wire(port: port)
                cut.send(Self.request("{\"fra", length: 100))
                cut.closeSending()
                let whole = try Wire(port: port)
                whole.send(Self.request(body))
                whole.closeSending()
                return (cut.receive(), whole.receive())
            }
            #expect(cut.hasPrefix("HTTP/1.1 400"), "\(cut)")
            #expect(whole.hasPrefix("HTTP/1.1 499"), "\(whole)")
        }
    }

    @Test func `A head that is too long, and what is no HTTP, are refused in words`() async throws {
        try await withService(StubModel()) { port in
            let (long, other) = try await blocking {
                let (long, other) = (try Wire(port: port), try Wire(port: port))
                let cookie = String(repeating: "a", count: 12_000)
                long.send("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: \(cookie)\r\n\r\n")
                other.send("no HTTP at all\r\n\r\n")
                return (long.receive(), other.receive())
            }
            #expect(
                long.hasPrefix("HTTP/1.1 431") && long.contains(#"{"error":"the request's head"#), "\(long)")
            #expect(other.hasPrefix("HTTP/1.1 400") && other.contains(#"{"error":"#), "\(other)")
        }
    }

    @Test func `A body that does not come in time is given up with a word, a head and silence without one`()
        async throws
    {
        var limits = RequestLimits()
        (limits.headerSeconds, limits.bodySeconds, limits.idleSeconds) = (1, 1, 1)
        try await withService(StubModel(), limits: limits) { port in
            let (body, head, idle) = try await blocking {
                let (body, head, idle) = (try Wire(port: port), try Wire(port: port), try Wire(port: port))
                body.send(Self.request("{", length: 100))
                head.send("POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n")
                idle.send("GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return (body.receive(), head.receive(), idle.receive())
            }
            #expect(body.hasPrefix("HTTP/1.1 408"), "\(body)")
            #expect(head.isEmpty && idle.hasPrefix("HTTP/1.1 200") && idle.contains("live"))
        }
    }

    @Test func `A body without a length may come in so many chunks and no more`() async throws {
        var limits = RequestLimits()
        limits.chunks = 50
        try await withService(StubModel(), limits: limits) { port in
            let json = try Self.frames()
            func chunked(_ count: Int) -> String {
                let pieces =
                    (0..<count - 1).map { _ in "1\r\n \r\n" }.joined()
                    + "\(String(json.utf8.count, radix: 16))\r\n\(json)\r\n"
                return
                    "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
                    + "Connection: close\r\n\r\n\(pieces)0\r\n\r\n"
            }
            let texts = [chunked(50), chunked(51)]
            let answers = try await blocking {
                try texts.map { text in
                    let wire = try Wire(port: port)
                    wire.send(text)
                    return wire.receive()
                }
            }
            #expect(answers[0].hasPrefix("HTTP/1.1 200"), "\(answers[0])")
            #expect(answers[1].hasPrefix("HTTP/1.1 413"), "\(answers[1])")
        }
    }

    @Test func `A client that expects 100 Continue gets it, and one connection serves many requests`()
        async throws
    {
        try await withService(StubModel()) { port in
            let body = try Self.frames()
            let (bid, first, second) = try await blocking {
                let wire = try Wire(port: port)
                wire.send(Self.request("", length: body.utf8.count, more: "Expect: 100-continue\r\n"))
                let bid = wire.receive(until: "\r\n\r\n")
                wire.send(body)
                let first = wire.receive(until: "\"unreadable\":false}")
                wire.send(Self.request(body, more: "Connection: close\r\n"))
                return (bid, first, wire.receive())
            }
            #expect(bid == "HTTP/1.1 100 Continue\r\n\r\n")
            #expect(first.contains("HTTP/1.1 200") && second.hasPrefix("HTTP/1.1 200"), "\(first) \(second)")
        }
    }

    @Test func `A refused body gets no 100 Continue, and the answer is the connection's last`()
        async throws
    {
        try await withService(StubModel()) { port in
            let heads = [
                "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n",
                "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n",
                "PUT /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n",
                "POST /v1/predict HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\n",
                "POST /v1/predict?model=none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n",
            ]
            let answers = try await blocking {
                try heads.map { head in
                    let wire = try Wire(port: port)
                    wire.send(head + "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n")
                    return wire.receive()
                }
            }
            for (answer, status) in zip(answers, [413, 404, 405, 403, 404]) {
                #expect(
                    answer.hasPrefix("HTTP/1.1 \(status)")
                        && answer.lowercased().contains("connection: close"), "\(answer)")
            }
        }
    }

    @Test func `A whole address says who is asked, whatever host is named beside it`() async throws {
        try await withService(StubModel()) { port in
            let addresses = [
                "http://localhost:\(port)/v2", "http://evil.example/v2", "HTTP://evil.example:\(port)?/v2",
                "http://localhost@evil.example/v2", "http://evil.example",
            ]
            let answers = try await blocking {
                try addresses.map { address in
                    let wire = try Wire(port: port)
                    wire.send("GET \(address) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    return wire.receive()
                }
            }
            #expect(answers[0].hasPrefix("HTTP/1.1 200"), "\(answers[0])")
            for answer in answers.dropFirst() { #expect(answer.hasPrefix("HTTP/1.1 403"), "\(answer)") }
        }
    }

    @Test func `HTTP/1.0 gets one answer per connection, and two Host headers are refused`() async throws {
        try await withService(StubModel()) { port in
            let body = try Self.frames()
            let (old, two) = try await blocking {
                let old = try Wire(port: port)
                old.send(
                    "POST /v1/predict HTTP/1.0\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                let two = try Wire(port: port)
                two.send(
                    "GET /v2 HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
                return (old.receive(until: "\"unreadable\":false}"), two.receive())
            }
            #expect(old.hasPrefix("HTTP/1.0 200") || old.hasPrefix("HTTP/1.1 200"), "\(old)")
            #expect(two.hasPrefix("HTTP/1.1 403"), "\(two)")
        }
    }

    @Test func `A body that trickles is given up long before its time`() async throws {
        try await withService(StubModel()) { port in
            let start = ContinuousClock.now
            let answer = try await blocking {
                let wire = try Wire(port: port)
                wire.send(Self.request(String(repeating: " ", count: 1000), length: 1 << 20))
                return wire.receive()
            }
            #expect(answer.hasPrefix("HTTP/1.1 408") && answer.contains("16 KiB/s"), "\(answer)")
            #expect(ContinuousClock.now - start < .seconds(25))
        }
    }

    @Test func `Idle connections of a client make room for its next, and are closed in order`() async throws {
        try await withService(StubModel()) {
            $0.clientConnections = 3
        } _: { port in
            let (answers, closed) = try await blocking {
                var wires: [Wire] = []
                var answers: [String] = []
                for _ in 0..<10 {
                    let wire = try Wire(port: port)
                    wire.send("GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    answers.append(wire.receive(until: "}"))
                    wires.append(wire)
                }
                return (answers, wires[0].receive())
            }
            #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200") } && closed.isEmpty)
        }
    }

    @Test func `Busy connections are not closed for new ones, which get an error`() async throws {
        let latch = Latch()
        let stub = StubModel { try await latch.wait() }
        try await withService(stub) {
            $0.clientConnections = 2
        } _: { port in
            let body = try Self.frames()
            let busy = try (0..<2).map { _ in try Wire(port: port) }
            for wire in busy { wire.send(Self.request(body)) }
            try await eventually("two are at work") { stub.seen.count == 2 }
            let answer = try await blocking { try Wire(port: port).receive() }
            #expect(answer.hasPrefix("HTTP/1.1 429") && answer.contains("2 connections"), "\(answer)")
            latch.open()
        }
    }

    @Test func `Input that is not HTTP, and a head that is too long, are refused`() async throws {
        try await withService(StubModel()) { port in
            let answers = try await blocking {
                try [
                    "no http at all\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: localhost\r\nA: \(String(repeating: "a", count: 9000))\r\n\r\n",
                ]
                .map { text in
                    let wire = try Wire(port: port)
                    wire.send(text)
                    wire.closeSending()
                    return wire.receive()
                }
            }
            #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 4") }, "\(answers)")
        }
    }
}
