import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Jersey
import TestSupport
import Testing
import Torch

@testable import JerseyServer

@Suite struct RouteTests {
    private func json(_ frames: [Data]) throws -> String {
        let list = frames.map { "\"\($0.base64EncodedString())\"" }.joined(separator: ",")
        return "{\"frames\": [\(list)], \"sequence\": \"seven\"}"
    }

    @Test
    func
        `The same frames give the same prediction as JSON, as a form, in an archive and by the Open Inference Protocol`()
        async throws
    {
        let subject = try await Subject.bundled()
        let frames = try (1...3).map { try png($0, width: 40, height: 40) }
        let text = frames.map { "\"\($0.base64EncodedString())\"" }.joined(separator: ",")
        try await subject.ask { client async throws in
            let plain = try await client.post("/v1/predict", json: try json(frames))
            #expect(plain.status == .ok, "\(plain.text)")
            let prediction = try JSON.decoded(Prediction.self, from: Data(plain.text.utf8))
            #expect(prediction.sequence == "seven" && prediction.frames.map(\.path) == ["1", "2", "3"])
            #expect(prediction.tens.count == 11 && abs(prediction.tens.reduce(0, +) - 1) < 1e-6)

            let (body, type) = form(frames.enumerated().map { ("frames", "\($0 + 1).png", $1) })
            let asForm = try await client.post("/v1/predict", body, type: type)
            #expect(try JSON.decoded(Prediction.self, from: Data(asForm.text.utf8)).tens == prediction.tens)

            let inferred = try await client.post(
                "/v2/models/bundled/infer",
                json: """
                    {"id": "a", "inputs": [{"name": "frames", "shape": [2, 3], "datatype": "BYTES", "data": [\(text), \(text)]}],
                     "outputs": [{"name": "weights"}, {"name": "tens"}]}
                    """)
            #expect(inferred.status == .ok, "\(inferred.text)")
            #expect(
                try inferred.json("id") as? String == "a" && inferred.json("model_version") as? String == "1")
            #expect(try inferred.json("outputs", "1", "shape") as? [Int] == [2, 11])
            #expect(try inferred.json("outputs", "0", "shape") as? [Int] == [2, 3])
            let tens = try #require(try inferred.json("outputs", "1", "data") as? [Double])
            #expect(try inferred.json("parameters") == nil)
            #expect(zip(tens, prediction.tens + prediction.tens).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func `A model whose output is not finite answers unreadable, and says why, by either interface`()
        async throws
    {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "jersey-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        let spec = try ModelSpec.named("attn_bgru_luong", encoder: .mobilenetV3Small)
        var card = Checkpoint.Card(spec: spec)
        (card.height, card.width, card.maximumFrames) = (48, 24, 4)
        let weights = JerseyModel(spec, seed: 1)
        // Each weight is finite, but no sum of them is.
        for (_, tensor) in weights.store.tensors where tensor.dtype == .float32 {
            tensor.copy(
                from: Tensor(
                    (0..<tensor.count).map { $0 % 2 == 0 ? Float(1e18) : -1e18 }, shape: tensor.shape))
        }
        try Checkpoint.write(weights, card, to: file)
        var settings = ServerSettings()
        settings.threads = 1
        let model = try await ServedModel(
            named: "broken", version: 1, from: file.path, settings, decoders: Subject.decoders,
            metrics: ServiceMetrics())
        let frame = try picture(width: 40, height: 40).pngData()
        try await Subject([model]).ask { client async throws in
            let plain = try await client.post("/v1/predict", json: try json([frame, frame]))
            #expect(plain.status == .ok, "\(plain.text)")
            let prediction = try JSON.decoded(Prediction.self, from: Data(plain.text.utf8))
            #expect(prediction.unreadable && prediction.number == nil && prediction.confidence == nil)
            #expect(prediction.leftOut.last?.reason.contains("is not finite") == true)

            let row = "\"\(frame.base64EncodedString())\""
            let inferred = try await client.post(
                "/v2/models/broken/infer",
                json:
                    #"{"inputs": [{"name": "frames", "shape": [2, 1], "datatype": "BYTES", "data": [\#(row), \#(row)]}]}"#
            )
            #expect(inferred.status == .ok, "\(inferred.text)")
            #expect(try inferred.json("outputs", "0", "data") as? [String] == ["", ""])
            #expect(try inferred.json("outputs", "2", "data") as? [Bool] == [true, true])
            let why = try #require(try inferred.json("parameters", "left_out") as? String)
            #expect(why.contains(#""sequence":2"#) && why.contains("is not finite"))
            #expect(!(plain.text + inferred.text).lowercased().contains("nan"))
        }
    }

    @Test
    func `A frame that cannot be decoded is left out and named; where none can be, the request is refused`()
        async throws
    {
        let subject = try await Subject.bundled()
        try await subject.ask { client async throws in
            let some = try await client.post(
                "/v1/predict", json: try json([try png(), Data("no picture".utf8)]))
            #expect(some.status == .ok)
            #expect(try some.json("left_out", "0", "path") as? String == "2")
            let rows = [try png(), try png(), try png(), Data("no picture".utf8)].map {
                "\"\($0.base64EncodedString())\""
            }
            let inferred = try await client.post(
                "/v2/models/bundled/infer",
                json: """
                    {"inputs": [{"name": "frames", "shape": [2, 2], "datatype": "BYTES", "data": [\(rows.joined(separator: ","))]}]}
                    """)
            let leftOut = try #require(try inferred.json("parameters", "left_out") as? String)
            #expect(leftOut.contains(#""frame":2"#) && leftOut.contains(#""sequence":2"#), "\(leftOut)")
            let none = try await client.post("/v1/predict", json: try json([Data("no picture".utf8)]))
            #expect(
                none.status == .unprocessableContent
                    && none.error?.contains("no frame can be read: 1 is") == true)
        }
    }

    @Test func `Pictures of the frames come along where they are asked for`() async throws {
        let subject = try await Subject([StubModel()])
        try await subject.ask { client async throws in
            let body = try json([try png(width: 30, height: 400)])
            let answer = try await client.post("/v1/predict?pictures=true", json: body)
            let url = try #require(try answer.json("pictures", "1") as? String)
            let bytes = try #require(
                Data(base64Encoded: String(url.dropFirst("data:image/jpeg;base64,".count))))
            #expect(try RGBImage(decoding: bytes, named: "it").height == 160)
            #expect(try await client.post("/v1/predict", json: body).json("pictures") == nil)
            #expect(try await client.post("/v1/predict?pictures=maybe", json: body).status == .badRequest)
        }
    }

    @Test func `Limits on frames, pixels, sequences and bytes refuse with the status for too much`()
        async throws
    {
        let subject = try await Subject([StubModel()]) {
            ($0.limits.frames, $0.limits.sequences, $0.limits.pixels, $0.limits.framePixels) = (
                3, 2, 400, 300
            )
            $0.limits.bodyBytes = 10_000
        }
        try await subject.ask { client async throws in
            func status(_ frames: [Data]) async throws -> HTTPResponse.Status {
                try await client.post("/v1/predict", json: try json(frames)).status
            }
            let small = try png(width: 10, height: 10)
            #expect(try await status([small, small, small]) == .ok)
            #expect(try await status([small, small, small, small]) == .contentTooLarge)
            #expect(
                try await status([try png(width: 14, height: 14), try png(width: 15, height: 15)])
                    == .contentTooLarge)
            #expect(
                try await client.post("/v1/predict", json: String(repeating: " ", count: 10_001)).status
                    == .contentTooLarge)
            let rows = Array(repeating: "\"\"", count: 3).joined(separator: ",")
            let many =
                "{\"inputs\": [{\"name\": \"frames\", \"shape\": [3, 1], \"datatype\": \"BYTES\", \"data\": [\(rows)]}]}"
            #expect(try await client.post("/v2/models/stub/infer", json: many).status == .contentTooLarge)
        }
    }

    @Test(arguments: [
        (#"{"inputs": []}"#, "one input"),
        (#"{"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": ["AA=="]}]}"#, "one input"),
        (
            #"{"inputs": [{"name": "frames", "shape": [2], "datatype": "BYTES", "data": ["AA=="]}]}"#,
            "needs 2 frames, but data has 1"
        ),
        (#"{"inputs": [{"name": "frames", "shape": [1], "datatype": "FP32", "data": [1.5]}]}"#, "is FP32"),
        (
            #"{"inputs": [{"name": "frames", "shape": [1], "datatype": "FP32", "data": [NaN]}]}"#,
            "not as expected"
        ),
        (
            #"{"inputs": [{"name": "frames", "shape": [-1, 1], "datatype": "BYTES", "data": []}]}"#,
            "the shape"
        ),
        (
            #"{"inputs": [{"name": "frames", "shape": [9223372036854775807, 2], "datatype": "BYTES", "data": []}]}"#,
            "the shape"
        ),
        (
            #"{"inputs": [{"name": "frames", "shape": [1], "datatype": "BYTES", "data": ["AA=="]}], "outputs": [{"name": "tans"}]}"#,
            "did you mean tens"
        ),
    ])
    func `An inference request that makes no sense is refused in words that help`(json: String, words: String)
        async throws
    {
        let subject = try await Subject([StubModel()])
        try await subject.ask { client async throws in
            let answer = try await client.post("/v2/models/stub/infer", json: json)
            #expect(answer.status == .badRequest && answer.error?.contains(words) == true, "\(answer.text)")
        }
    }

    @Test func `Tensors behind the JSON are refused in words that help`() async throws {
        try await Subject([StubModel()]).ask { client async throws in
            let header = try #require(HTTPField.Name("inference-header-content-length"))
            let answer = try await client.post("/v2/models/stub/infer", json: "{}", headers: [header: "2"])
            #expect(answer.status == .badRequest && answer.error?.contains("base64") == true)
        }
    }

    @Test
    func
        `An archive is read sequence by sequence, and one with paths outside it or of another kind is refused`()
        async throws
    {
        let stub = StubModel()
        let subject = try await Subject([stub])
        let good = tar([("a/1.png", try png()), ("a/2.png", try png(2)), ("b/1.png", try png(3))])
        let slip = tar([("../../evil.png", try png())])
        try await subject.ask { client async throws in
            let answer = try await client.post("/v1/predict/archive", good, type: "application/x-tar")
            #expect(answer.status == .ok, "\(answer.text)")
            #expect(
                try answer.json("0", "sequence") as? String == "archive/a"
                    && answer.json("1", "sequence") as? String == "archive/b")
            let (body, type) = form([("archive", "players.tar", good)])
            #expect(
                try await client.post("/v1/predict/archive", body, type: type).text.contains(
                    "\"players.tar/b\""))
            let refused = try await client.post("/v1/predict/archive", slip, type: "application/x-tar")
            #expect(
                refused.status == .unprocessableContent
                    && refused.error?.contains("points outside the archive") == true)
            #expect(
                refused.error?.hasPrefix("archive is not unpacked") == true, "no path of this machine is told"
            )
            let none = try await client.post(
                "/v1/predict/archive", Data("no archive".utf8), type: "application/zip")
            #expect(none.status == .unprocessableContent)
            #expect(
                try await client.post("/v1/predict/archive", good, type: "text/plain").status
                    == .unsupportedMediaType)
        }
        // The order of an archive's sequences varies.
        #expect(stub.seen.map(\.count).sorted() == [1, 1, 2, 2])
    }

    @Test
    func `A short video is one sequence, of which pictures are passed over where there are too many pixels`()
        async throws
    {
        let folder = try TestFolder()
        let film = folder.url.appendingPathComponent("film.mkv")
        try writeFilm(film.path, frames: 12, rate: 10) { picture($0, width: 64, height: 48) }
        let (body, type) = form([("video", "a.mkv", try Data(contentsOf: film))])
        let stub = StubModel()
        try await Subject([stub]).ask { client async throws in
            #expect(try await client.post("/v1/predict", body, type: type).status == .ok)
            let (garbage, type) = form([("video", "a.mkv", Data("no film".utf8))])
            let refused = try await client.post("/v1/predict", garbage, type: type)
            #expect(
                refused.status == .unprocessableContent
                    && refused.error?.hasPrefix("a.mkv is not a readable video") == true,
                "\(refused.text)")
        }
        #expect(stub.seen.first?.first == "a.mkv#frame=0" && stub.seen.first?.count == 12)
        let little = StubModel()
        try await Subject([little]) { $0.limits.pixels = 7 * 64 * 48 }.ask { client async throws in
            #expect(try await client.post("/v1/predict", body, type: type).status == .ok)
        }
        #expect(little.seen == [(0..<6).map { "a.mkv#frame=\($0 * 2)" }])
    }

    @Test
    func
        `A request names its model, or gets the first; models and versions that are not there are not found`()
        async throws
    {
        let (one, two) = (StubModel("one"), StubModel("two", version: 3))
        let subject = try await Subject([one, two])
        try await subject.ask { client async throws in
            let body = try json([try png()])
            #expect(try await client.post("/v1/predict", json: body).status == .ok)
            #expect(try await client.post("/v1/predict?model=two", json: body).status == .ok)
            #expect((one.seen.count, two.seen.count) == (1, 1))
            let unknown = try await client.post("/v1/predict?model=tow", json: body)
            #expect(unknown.status == .notFound && unknown.error?.contains("did you mean two") == true)
            #expect(try await client.get("/v2/models/two/versions/3").status == .ok)
            #expect(try await client.get("/v2/models/two/versions/1").status == .notFound)
            #expect(try await client.get("/v2/models/two/versions/1/ready").status == .notFound)
            #expect(try await client.get("/v2/models/three/ready").status == .notFound)
            #expect(
                try await client.get("/v2/models/one").json("inputs", "0", "shape") as? [Int] == [-1, -1])
            let index = try await client.post("/v2/repository/index", json: "")
            #expect(
                try index.json("1", "name") as? String == "two"
                    && index.json("1", "version") as? String == "3")
        }
    }

    @Test func `A request's id is the client's where it is fit for a log, and a new one otherwise`()
        async throws
    {
        let id = HTTPField.Name("x-request-id")!
        try await Subject([StubModel()]).ask { client async throws in
            func answer(_ given: String?) async throws -> String? {
                let headers: HTTPFields = given.map { [id: $0] } ?? [:]
                return try await client.execute(uri: "/v2", method: .get, headers: headers) { $0.headers[id] }
            }
            #expect(try await answer("ab-1.2_c:d") == "ab-1.2_c:d")
            let (one, two) = (try await answer(nil), try await answer("a b{}"))
            #expect(one?.count == 36 && two?.count == 36 && one != two)
            // Errors also have one, and are always JSON.
            let missing = try await client.get("/nowhere")
            #expect(missing.status == .notFound && missing.error == "not found" && missing.headers[id] != nil)
        }
    }

    @Test func `Figures tell requests by route and outcome, batches, and what was not answered`() async throws
    {
        let subject = try await Subject([StubModel()])
        try await subject.ask { client async throws in
            _ = try await client.post("/v1/predict", json: try json([try png()]))
            _ = try await client.post("/v1/predict", json: "{}")
            _ = try await client.get("/anything/\(UUID())")
            let text = try await client.get("/metrics").text
            #expect(
                text.contains(#"jersey_requests_total{route="POST /v1/predict",outcome="answered"} 1"#),
                "\(text)")
            #expect(text.contains(#"jersey_requests_total{route="POST /v1/predict",outcome="refused"} 1"#))
            #expect(text.contains(#"jersey_requests_total{route="other",outcome="refused"} 1"#))
            #expect(text.contains(#"jersey_requests_total{route="POST /v1/predict",outcome="rejected"} 0"#))
            // The metrics request itself.
            #expect(text.contains("jersey_requests_in_progress 1"))
            #expect(
                text.contains(#"jersey_predictions_total{model="stub"} 1"#) && text.contains("jersey_ready 1")
            )
            #expect(
                text.contains(
                    #"jersey_model_info{model="stub",version="1",architecture="stub",precision="float32"} 1"#)
            )
            // Once per sequence, wherever it is decoded.
            #expect(text.contains(#"jersey_decode_seconds_count{model="stub"} 1"#))
            for name in [
                "jersey_queue_seconds", "jersey_decode_seconds", "jersey_infer_seconds", "jersey_batch_size",
            ] {
                #expect(text.contains("# TYPE \(name) histogram"))
            }
        }
    }

    @Test func `A histogram's buckets add up, and labels are escaped`() {
        let histogram = Histogram("h", "Help.", labels: ["a"], bounds: [1, 2.5])
        for value in [0.5, 1, 2, 99] { histogram.observe(value, "x\"\\\n") }
        let label = #"{a="x\"\\\n""#
        #expect(
            histogram.samples() == [
                "h_bucket\(label),le=\"1\"} 2", "h_bucket\(label),le=\"2.5\"} 3",
                "h_bucket\(label),le=\"+Inf\"} 4",
                "h_sum\(label)} 102.5", "h_count\(label)} 4",
            ])
        #expect(histogram.text.hasPrefix("# HELP h Help.\n# TYPE h histogram\nh_bucket"))
    }

    @Test func `A wrong method is distinguished from an unknown path`() async throws {
        try await Subject([StubModel()]).ask { client async throws in
            let answer = try await client.execute(uri: "/v2/models/stub/infer", method: .put) { $0 }
            #expect(answer.status == .methodNotAllowed && answer.headers[.allow] == "POST")
            let query = try #require(HTTPRequest.Method("QUERY"))
            #expect(
                try await client.execute(uri: "/metrics", method: query) { $0.status } == .methodNotAllowed)
            #expect(try await client.execute(uri: "/v2/infer", method: .put) { $0.status } == .notFound)
        }
    }

    @Test
    func
        `The page and its parts are served, each as what it is, with a policy that lets in nothing from elsewhere`()
        async throws
    {
        try await Subject([StubModel()]).ask { client async throws in
            for (path, type) in [
                ("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css"),
                ("/icon.svg", "image/svg"),
            ] {
                let answer = try await client.get(path)
                #expect(
                    answer.status == .ok && answer.headers[.contentType]?.hasPrefix(type) == true
                        && !answer.text.isEmpty)
                #expect(answer.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self'") == true)
            }
            #expect(try await client.execute(uri: "/", method: .head) { $0.status } == .ok)
        }
    }
}
