import Foundation
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Jersey
@testable import JerseyServer

/// Videos of matches: jobs, their progress, results and ends.
@Suite struct JobTests {
    private func film(frames: Int = 12) throws -> Data {
        let folder = try TestFolder()
        let path = folder.path("film.mkv")
        try writeFilm(path, frames: frames, rate: 10) { picture($0, width: 64, height: 48) }
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    private func send(
        _ client: any TestClientProtocol, _ film: Data, roster: String? = nil, query: String = ""
    ) async throws -> TestResponse {
        var parts: [(name: String, file: String?, content: Data)] = [("video", "a match.mkv", film)]
        if let roster { parts.append(("roster", "squad.csv", Data(roster.utf8))) }
        let (body, type) = form(parts)
        return try await client.post("/v1/predict/video\(query)", body, type: type)
    }

    private func state(_ client: any TestClientProtocol, _ path: String) async throws -> String? {
        try await client.get(path).json("state") as? String
    }

    private func delete(_ client: any TestClientProtocol, _ path: String) async throws -> TestResponse {
        try await client.execute(uri: path, method: .delete) { $0 }
    }

    @Test func `A video becomes a job, which tells how far it is, and gives its result`() async throws {
        let (stub, film) = (StubModel(), try film())
        try await Subject([stub]).ask { client async throws in
            let answer = try await send(client, film)
            #expect(answer.status == .accepted, "\(answer.text)")
            let path = try #require(answer.headers[.location])
            #expect(path == "/v1/jobs/\(try answer.json("id") as? String ?? "")")
            #expect(try answer.json("video") as? String == "a match.mkv")
            try await eventually("the job ends") { try await state(client, path) == "done" }
            let status = try await client.get(path)
            #expect(try status.json("frame") as? Int == 12 && status.json("step") as? String == "following")
            #expect(abs((try status.json("frames") as? Int ?? 0) - 12) <= 1)
            let result = try await client.get(path + "/result")
            let nobody = TrackedVideo(
                boxes: TrackBoxes(tracks: [], boxes: [], firstFrame: 1), looks: [], cuts: [], times: [])
            // The same text as the command line writes.
            #expect(
                result.text
                    == JSON.text(try JSON.output(PlayerTable([], in: nobody, teams: Teams(nobody)))))
            // A client whose connection broke may ask once more.
            #expect(try await client.get(path + "/result").status == .ok)
            // The decoder gave frames with their times.
            #expect(stub.seen.count == 12 && stub.seen[5] == ["a match.mkv 0.5"])
        }
    }

    @Test func `A body that is the video itself is taken, too`() async throws {
        let film = try film()
        try await Subject([StubModel()]).ask { client async throws in
            for type in ["video/x-matroska", "application/octet-stream"] {
                let answer = try await client.post("/v1/predict/video", film, type: type)
                let path = try #require(answer.headers[.location])
                try await eventually("the job ends") { try await state(client, path) == "done" }
            }
        }
    }

    @Test func `What is no video fails, and the result is the error`() async throws {
        try await Subject([StubModel()]).ask { client async throws in
            let answer = try await send(client, Data("no video".utf8))
            let path = try #require(answer.headers[.location])
            try await eventually("the job ends") { try await state(client, path) == "failed" }
            let status = try await client.get(path)
            #expect(status.error?.contains("a match.mkv is not a readable video") == true, "\(status.text)")
            let result = try await client.get(path + "/result")
            #expect(result.status == .unprocessableContent && result.error == status.error)
        }
    }

    @Test func `A frame that is too large is refused by the decoder`() async throws {
        let film = try film()
        try await Subject([StubModel()]) { $0.limits.framePixels = 1000 }.ask { client async throws in
            let path = try #require(try await send(client, film).headers[.location])
            try await eventually("the job ends") { try await state(client, path) == "failed" }
            #expect(try await client.get(path).error?.contains("64x48, more than the limit") == true)
        }
    }

    @Test func `Requests that make no sense are refused in words that help`() async throws {
        let film = try film(frames: 1)
        try await Subject([StubModel()]) { ($0.limits.videoBytes, $0.jobs) = (1 << 20, 1) }
            .ask { client async throws in
                func expect(_ answer: TestResponse, _ status: HTTPResponse.Status, _ words: String) {
                    #expect(
                        answer.status == status && answer.error?.contains(words) == true, "\(answer.text)")
                }
                let path = "/v1/predict/video"
                expect(try await client.post(path, json: "{}"), .unsupportedMediaType, "application/json")
                expect(try await client.post(path, Data(), type: "video/mp4"), .badRequest, "is empty")
                let (other, type) = form([("film", "a.mkv", film)])
                expect(try await client.post(path, other, type: type), .badRequest, "video")
                let (none, kind) = form([("roster", "a.csv", Data("team,number,name\nA,7,X\n".utf8))])
                expect(try await client.post(path, none, type: kind), .badRequest, "one file named 'video'")
                expect(try await send(client, film, query: "?everyone=yes"), .badRequest, "true or false")
                expect(try await send(client, film, query: "?detect_every=0"), .badRequest, "1...1000")
                expect(try await send(client, film, query: "?model=none"), .notFound, "none")
                expect(
                    try await send(client, film, roster: "team,number\nA,7\n"), .unprocessableContent,
                    "squad.csv has no column 'name'")
                expect(try await send(client, Data(count: 2 << 20)), .contentTooLarge, "1 MiB")
                expect(try await client.get("/v1/jobs/7"), .notFound, "no job '7'")
                expect(try await delete(client, "/v1/jobs/7"), .notFound, "no job '7'")
                // None of them left a place taken.
                #expect(try await send(client, film).status == .accepted)
            }
    }

    @Test func `Jobs wait their turn, are limited, and end when they are cancelled`() async throws {
        let (film, gate) = (try film(), DispatchSemaphore(value: 0))
        let slow = StubModel(onVideo: { _ = gate.wait(timeout: .now() + 20) })
        try await Subject([slow]) { ($0.jobs, $0.clientJobs) = (3, 2) }.ask { client async throws in
            let first = try #require(try await send(client, film).headers[.location])
            try await eventually("the first is read") { try await state(client, first) == "running" }
            let second = try #require(try await send(client, film).headers[.location])
            #expect(try await client.get(second).json("before") as? Int == 1)
            #expect(try await client.get(second + "/result").status == .conflict)
            let third = try await send(client, film)
            #expect(third.status == .tooManyRequests && third.headers[.retryAfter] != nil)

            let cancelled = try await delete(client, second)
            #expect(try cancelled.json("state") as? String == "cancelled")
            for path in [second, second + "/result"] {
                let answer = try await client.get(path)
                #expect(answer.status == .gone && answer.error?.contains("was cancelled") == true)
            }
            #expect(try await delete(client, second).status == .gone)
            // A job that is running stops at the next frame.
            #expect(try await delete(client, first).status == .ok)
            gate.signal()
            let next = try #require(try await send(client, film).headers[.location])
            gate.signal()
            try await eventually("the next is read") { try await state(client, next) == "done" }
            let figures = try await client.get("/metrics").text
            #expect(figures.contains(#"jersey_job_seconds_count{outcome="cancelled"} 1"#))
            #expect(figures.contains(#"jersey_jobs{state="done"} 1"#))
            #expect(figures.contains(#"jersey_jobs{state="running"} 0"#))
        }
    }

    @Test func `Results are deleted after a while`() async throws {
        let film = try film(frames: 2)
        try await Subject([StubModel()]) { $0.resultSeconds = 0 }.ask { client async throws in
            let path = try #require(try await send(client, film).headers[.location])
            try await eventually("it is gone") { try await client.get(path).status == .gone }
        }
    }

    @Test func `A service that ends says so to those who ask for a job`() async throws {
        let subject = try await Subject([StubModel()])
        let board = JobBoard(subject.settings, ServiceMetrics())
        board.endAll(ServiceError(.serviceUnavailable, "over"))
        let error = #expect(throws: ServiceError.self) { try board.take("a") }
        #expect(error?.description == "over")
    }

    @Test func `The bundled model reads the players of a match as the command line does`() async throws {
        let folder = try TestFolder()
        let path = folder.path("match.mkv")
        // Nobody is in it, which both say.
        try writeFilm(path, frames: 6, rate: 10) { picture($0, width: 320, height: 180) }
        let film = try Data(contentsOf: URL(fileURLWithPath: path))
        try await Subject.bundled().ask { client async throws in
            let job = try #require(
                try await send(
                    client, film, roster: "team,number,name\nReds,7,Ann\n", query: "?everyone=true"
                )
                .headers[.location])
            try await eventually("the job ends") { try await state(client, job) == "failed" }
            let error = try await client.get(job + "/result")
            #expect(error.status == .unprocessableContent)
            #expect(error.error?.contains("shows nobody who could be followed") == true, "\(error.text)")
        }
    }
}
