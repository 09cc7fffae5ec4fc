import Foundation
import Hummingbird
import HummingbirdTesting
import Jersey
import TestSupport
import Testing

@testable import JerseyServer

/// What browsers, phones and programs send.
@Suite struct InputKindTests {
    @Test(arguments: [3, 4, 5, 6])
    func `Base64 is read as programs write it`(count: Int) throws {
        let bytes = Data((0..<count).map { UInt8(250 + $0) } + [0x3e, 0x3f, 0xfb, 0xff])
        let plain = bytes.base64EncodedString()
        let url = plain.replacing("+", with: "-").replacing("/", with: "_")
        for text in [
            "data:image/jpeg;base64,\(plain)", "data:;base64,\(url)", plain.replacing("=", with: ""),
            url.replacing("=", with: ""), plain.map { "\($0)\r\n" }.joined(), " \(plain)\n",
        ] {
            #expect(Data(anyBase64: text) == bytes, "\(text)")
        }
        for text in ["data:image/jpeg,\(plain)", "\(plain)!", "{}", "ä"] {
            #expect(Data(anyBase64: text) == nil, "\(text)")
        }
    }

    @Test func `Equal names of frames are told apart`() {
        #expect(
            Upload.distinct(["image.jpg", "image.jpg", "a", "image (2).jpg", "a", "image.jpg"])
                == ["image.jpg", "image (2).jpg", "a", "image (2) (2).jpg", "a (2)", "image (3).jpg"])
    }

    /// 480p to 8K.
    @Test(arguments: [640 * 480, 1280 * 720, 1920 * 1080, 2704 * 1520, 3840 * 2160, 7680 * 4320])
    func `A video of any length fits into the limit`(size: Int) {
        let total = RequestLimits().pixels
        for count in 0...1024 {
            let (pixels, step) = PixelBudget(total: total).kept(ofFrames: count, size: size)
            let kept = (count + step - 1) / step
            #expect(kept * pixels <= total && pixels <= size && (count == 0 || kept >= 1))
            // As many frames as fit are kept.
            #expect(step == 1 || (count + step - 2) / (step - 1) * pixels > total)
        }
    }

    @Test func `Pictures are shrunk only as far as they have to be`() {
        let budget = PixelBudget(total: 64_000_000)
        #expect(budget.kept(of: [12_000_000, 1_000]) == [12_000_000, 1_000])
        let phone = budget.kept(of: Array(repeating: 12_192_768, count: 6))
        #expect(phone.reduce(0, +) <= 64_000_000 && phone.allSatisfy { $0 > 10_000_000 })
        let many = budget.kept(of: Array(repeating: 12_192_768, count: 900))
        #expect(many.reduce(0, +) <= 64_000_000)
    }

    @Test(arguments: [(6, 4, 6), (7, 5, 6), (9, 9, 9), (3000, 1, 100), (1, 3000, 100), (5, 5, 1), (4, 4, 16)])
    func `A picture is shrunk to means of squares`(width: Int, height: Int, most: Int) {
        var rows: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { rows += [UInt8(x % 2 * 100), UInt8(y % 2 * 100), 40] }
        }
        let small = RGBImage(width: width, height: height, pixels: rows).shrunk(to: most)
        #expect(small.width * small.height <= most && small.pixels[2] == 40)
        if (width, height, most) == (6, 4, 6) {
            #expect((small.width, small.height) == (3, 2) && small.pixels.prefix(2) == [50, 50])
        }
    }

    @Test func `Large pictures and videos of unknown length are read, shrunk`() async throws {
        let folder = try TestFolder()
        let film = folder.url.appendingPathComponent("film.mkv")
        try writeFilm(film.path, frames: 9, rate: 10) { picture($0, width: 640, height: 360) }
        let stub = StubModel()
        let subject = try await Subject([stub]) { $0.limits.pixels = 300_000 }
        let (body, type) = form([("video", "a.mkv", try Data(contentsOf: film))])
        let large = try png(width: 900, height: 600)
        try await subject.ask { client async throws in
            #expect(try await client.post("/v1/predict", body, type: type).status == .ok)
            let json = #"{"frames": ["\#(large.base64EncodedString())"]}"#
            #expect(try await client.post("/v1/predict", json: json).status == .ok)
        }
        #expect(stub.seen.map(\.count) == [1, 1])
    }

    @Test(arguments: [
        "application/zip", "application/x-zip-compressed", "application/x-gzip", "application/x-gtar",
        "application/x-tar",
    ])
    func `An archive is read by any of the types that browsers give`(type: String) async throws {
        try await Subject([StubModel()]).ask { client async throws in
            let archive = tar([("7/1.png", try png())])
            #expect(try await client.post("/v1/predict/archive", archive, type: type).status == .ok)
        }
    }

    @Test(arguments: ["gzip", "br", "deflate", "x"])
    func `A compressed body is refused by name`(encoding: String) async throws {
        try await Subject([StubModel()]).ask { client async throws in
            let answer = try await client.post(
                "/v1/predict", Data([0x1f, 0x8b, 0]), headers: [.contentEncoding: encoding])
            #expect(answer.status == .unsupportedMediaType)
            #expect(answer.error?.contains("Content-Encoding \(encoding)") == true)
        }
    }

    @Test func `A WebP picture is read by the decoder`() async throws {
        let webp = "UklGRigAAABXRUJQVlA4TBwAAAAvD8ABAA8wKEcBPRjy/EcLxILJ/KU7U4jof+QA"
        try await Subject([StubModel()]).ask { client async throws in
            let answer = try await client.post("/v1/predict", json: #"{"frames": ["\#(webp)"]}"#)
            #expect(answer.status == .ok, "\(answer.text)")
        }
    }
}
