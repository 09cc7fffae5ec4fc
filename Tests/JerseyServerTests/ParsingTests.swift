import Foundation
import Jersey
import Testing

@testable import JerseyServer

/// Request bodies from strangers.
@Suite struct ParsingTests {
    @Test
    func
        `A form's parts are what lies between the boundaries, even if empty, binary or similar to a boundary`()
        throws
    {
        let tricky = Data([0, 13, 10, 45, 45]) + Data("--frontierless\r\n--front".utf8)
        let (body, _) = form([
            ("frames", "a \"b\".jpg", Data()), ("frames", nil, tricky), ("sequence", nil, Data("7".utf8)),
        ])
        let parts = try Multipart(body, boundary: "frontier", limit: 3).parts
        #expect(parts.map(\.name) == ["frames", "frames", "sequence"])
        #expect(parts.map(\.content) == [Data(), tricky, Data("7".utf8)])
    }

    @Test
    func
        `Text before the first boundary and after the last, spaces after a boundary, and heads in any case are allowed`()
        throws
    {
        let text =
            "hello\r\n--x  \r\ncontent-disposition: FORM-DATA; NAME=\"a\"\r\nContent-Type: image/PNG; q=1\r\n\r\n1\r\n--x--\r\nbye"
        let parts = try Multipart(Data(text.utf8), boundary: "x", limit: 1).parts
        #expect(
            parts.map(\.name) == ["a"] && parts[0].type.value == "image/png"
                && parts[0].content == Data("1".utf8))
    }

    @Test func `A form that is cut off anywhere is refused, and never read as a shorter one`() throws {
        let (body, _) = form([
            ("frames", "1.jpg", Data("picture".utf8)), ("frames", "2.jpg", Data("other".utf8)),
        ])
        // The final line break may be missing.
        for length in 0..<body.count - 4 {
            #expect(throws: ServiceError.self) {
                try Multipart(body.prefix(length), boundary: "frontier", limit: 9)
            }
        }
        #expect(throws: ServiceError.self) { try Multipart(body, boundary: "other", limit: 9) }
        #expect(throws: ServiceError.self) { try Multipart(body, boundary: nil, limit: 9) }
        #expect(throws: ServiceError.self) {
            try Multipart(body, boundary: String(repeating: "x", count: 71), limit: 9)
        }
        #expect(throws: ServiceError.self) { try Multipart(body, boundary: "frontier", limit: 1) }
    }

    @Test(arguments: [
        ("multipart/form-data; boundary=x", "multipart/form-data", ["boundary": "x"]),
        ("Text/HTML;charset=\"a;b\" ; x = y=z", "text/html", ["charset": "a;b", "x": "y=z"]),
        (#"form-data; filename="a \"b\"""#, "form-data", ["filename": "a \"b\""]), ("", "", [:]),
        (";;=;\"", "", ["": ""]),
    ])
    func `A content type is a word and parameters`(
        header: String, value: String, parameters: [String: String]
    ) {
        #expect(ContentType(header).value == value && ContentType(header).parameters == parameters)
    }

    @Test
    func
        `JSON is as deep as its brackets outside of texts, and what is deeper than the limit is not decoded`()
        throws
    {
        #expect(JSONShape(Data(#"{"a[[[\"[[": [1, {"b,,": []}]}"#.utf8)) == JSONShape(Data("[[1,[[".utf8)))
        #expect(JSONShape(Data("[1,[[2]]]".utf8)).depth == 3 && JSONShape(Data("1".utf8)).depth == 0)
        func nested(_ depth: Int) -> Data {
            Data((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(JSONShape(nested(100_000)).depth == 100_000)
        let error = #expect(throws: ServiceError.self) {
            try JSONBody.decoded([Int].self, from: nested(101), depth: 100)
        }
        #expect(error?.description.contains("more than 100") == true)
        #expect(try JSONBody.decoded([[Int]].self, from: Data("[[1]]".utf8), depth: 100) == [[1]])
        let many = Data(("[" + String(repeating: "1,", count: 100_000) + "1]").utf8)
        #expect(throws: ServiceError.self) { try JSONBody.decoded([Int].self, from: many, depth: 100) }
        // In UTF-16, the second byte of U+2200 would look like a quote and hide all that follows.
        let hidden = try #require(
            (#"["∀", "# + String(repeating: "1,", count: 100_000) + "1]").data(using: .utf16LittleEndian))
        let refusal = #expect(throws: ServiceError.self) {
            try JSONBody.decoded([String].self, from: hidden, depth: 100)
        }
        #expect(refusal?.description.contains("UTF-8") == true)
    }

    @Test(arguments: [
        (#"{"frames": 1}"#, "frames: needs a list"),
        (#"{"frames": ["@"]}"#, "frames, entry 1: is not base64"),
        (#"{"frames": [{"name": "x"}]}"#, "frames, entry 1, data: is missing"), ("{}", "frames: is missing"),
        (#"{"frames": [NaN]}"#, "not as expected"), ("", "not as expected"),
        (#"{"frames": []}"#, "has no frames"),
    ])
    func `What is wrong in a request is named by its field`(json: String, message: String) async throws {
        let room = Admission.Room(requests: 1, bytes: 1 << 20)
        // The permit is not released while the request is parsed.
        let error = try await Admission(room, ofClient: room).withMemoryPermit("a") { permit in
            var upload = Upload(RequestLimits(), permit)
            return #expect(throws: ServiceError.self) {
                try PredictRequest.sequence(Data(json.utf8), ContentType("application/json"), &upload)
            }
        }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test
    func `An error for a client has no path of this machine, and no more of what it sent than fits a line`() {
        let errors: [any Error] = [
            FileError(
                "/home/me/models/a.safetensors", "is cut short within its header",
                advice: "copy or download it again"),
            FileError("/tmp/jersey-upload-1/upload", "is no video"),
            ImageError(name: "/tmp/jersey-archive-1/7/1.png", reason: .empty),
        ]
        for error in errors.map({ ServiceError($0) }) {
            #expect(!error.description.contains("/") && error.description.contains(" is "))
        }
        let long = ServiceError(.badRequest, "there is no '\u{1b}\(String(repeating: "x", count: 60 << 20))'")
        #expect(long.description.utf8.count < 5000 && long.description.hasPrefix("there is no '\\u{1b}xxx"))
    }

    @Test func `Names of uploads are fit for a path`() {
        #expect(
            Upload.plain("../../etc/passwd", or: "x") == "passwd"
                && Upload.plain("C:\\a\\b.zip", or: "x") == "b.zip")
        #expect(
            Upload.plain("..", or: "x") == "x" && Upload.plain("a\u{0}\nb", or: "x") == "ab"
                && Upload.plain(nil, or: "x") == "x")
        #expect(Upload.plain(String(repeating: "a", count: 500), or: "x").count == 60)
        #expect(Upload.plain(String(repeating: "🏃", count: 500), or: "x").utf8.count <= 255)
        #expect(
            Upload.plain("a/\u{202E}b\u{200B}\u{2028}//", or: "x") == "b"
                && Upload.plain("\u{7}/", or: "x") == "x")
        // The time does not depend on how many code points make a character.
        let start = ContinuousClock.now
        for part in ["x", "\u{301}", "/", "\u{7}"] {
            #expect(Upload.plain("a" + String(repeating: part, count: 4 << 20), or: "x").count <= 60)
        }
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
