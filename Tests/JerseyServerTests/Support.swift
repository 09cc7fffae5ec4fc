import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Jersey
@testable import JerseyServer

/// A stub model. It reports the frames of each sequence, and works as long as it is told to.
final class StubModel: Predicting {
    let about: ModelDescription
    private let work: @Sendable () async throws -> Void
    private let onVideo: @Sendable () -> Void
    private let frames = Mutex<[[String]]>([])

    init(
        _ name: String = "stub", version: Int = 1, work: @escaping @Sendable () async throws -> Void = {},
        onVideo: @escaping @Sendable () -> Void = {}
    ) {
        self.onVideo = onVideo
        var input = InputSpec()
        (input.height, input.width) = (48, 48)
        about = ModelDescription(
            name: name, version: version, architecture: "stub", parameters: 0, input: input,
            device: .cpu, precision: .float32, threshold: nil)
        self.work = work
    }

    /// Counts the frames, and finds nobody.
    func players(
        of job: VideoJob, progress: (MatchStep, _ frame: Int) -> Void, open: () throws -> VideoReader
    ) throws -> PlayerTable {
        let video = try open()
        onVideo()
        while let frame = try video.next() {
            progress(.following, frame.index + 1)
            frames.withLock { $0.append(["\(job.name) \(frame.time)"]) }
        }
        let nobody = TrackedVideo(
            boxes: TrackBoxes(tracks: [], boxes: [], firstFrame: 1), looks: [], cuts: [], times: [])
        return PlayerTable([], in: nobody, teams: Teams(nobody))
    }

    /// The frames of each sequence so far.
    var seen: [[String]] { frames.withLock { $0 } }

    func predict(_ sequences: [FrameSequence]) async throws -> [Prediction] {
        frames.withLock { $0 += sequences.map(\.frames) }
        try await work()
        let row = { (count: Int, place: Int) in (0..<count).map { $0 == place ? -0.1 : -5 } }
        return sequences.map { sequence in
            Prediction(
                Reading(
                    sequence: sequence, digits: DigitDistribution(tens: row(11, 4), ones: row(10, 2)),
                    used: Array(sequence.frames.indices), attention: nil,
                    problems: []))
        }
    }
}

/// A gate. Tasks wait at it until it is opened.
final class Latch: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func open() { continuation.finish() }

    /// - Throws: `CancellationError` if the task is cancelled.
    func wait() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }
}

/// Waits until the condition holds, and fails the test if it never does.
func eventually(_ what: Comment, _ condition: @Sendable () async throws -> Bool) async throws {
    for _ in 0..<4000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what)
}

/// A service with models, and its parts.
struct Subject {
    let registry: ModelRegistry
    let settings: ServerSettings
    let metrics = ServiceMetrics()

    /// - Parameter models: loaded at once, by name.
    init(_ models: [any Predicting], _ change: (inout ServerSettings) -> Void = { _ in }) async throws {
        let byName = Dictionary(uniqueKeysWithValues: models.map { ($0.about.name, $0) })
        registry = ModelRegistry(models.map(\.about.name)) { name, _ in try #require(byName[name]) }
        try await registry.loadAll()
        var settings = ServerSettings()
        (settings.host, settings.port, settings.program) = ("localhost", 0, Self.program)
        change(&settings)
        self.settings = settings
    }

    /// The bundled model, run with one thread.
    static func bundled(_ change: (inout ServerSettings) -> Void = { _ in }) async throws -> Subject {
        var settings = ServerSettings()
        settings.threads = 1
        let model = try await ServedModel(
            named: "bundled", version: 1, from: nil, settings, decoders: decoders, metrics: ServiceMetrics())
        return try await Subject([model], change)
    }

    static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// The program from which decoders are started.
    static let program = Places.jersey

    static let decoders: DecoderPool = {
        var settings = ServerSettings()
        settings.program = program
        return DecoderPool(settings)
    }()

    var handler: PredictionHandler {
        PredictionHandler(registry, settings, decoders: Self.decoders, metrics: metrics)
    }

    var app: some ApplicationProtocol {
        get throws { try JerseyService.application(handler, settings, logger: Self.silence) }
    }

    /// Sends requests directly to the routes, without a connection.
    func ask<Value>(_ body: @Sendable (any TestClientProtocol) async throws -> Value) async throws -> Value {
        try await app.test(.router, body)
    }
}

extension TestClientProtocol {
    func post(
        _ path: String, _ body: Data, type: String = "application/json", headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = type
        return try await execute(uri: path, method: .post, headers: headers, body: ByteBuffer(bytes: body)) {
            $0
        }
    }

    func post(_ path: String, json: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await post(path, Data(json.utf8), headers: headers)
    }

    func get(_ path: String) async throws -> TestResponse {
        try await execute(uri: path, method: .get) { $0 }
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    /// The value at a path of keys and indices.
    func json(_ path: String...) throws -> Any? {
        path.reduce(
            try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as Any?
        ) { value, key in
            Int(key).flatMap { (value as? [Any])?[$0] } ?? (value as? [String: Any])?[key]
        }
    }

    var error: String? { try? json("error") as? String }
}

/// A form in the format that browsers send.
func form(_ parts: [(name: String, file: String?, content: Data)], boundary: String = "frontier") -> (
    Data, String
) {
    var body = Data()
    for (name, file, content) in parts {
        let named = file.map { "; filename=\"\($0)\"" } ?? ""
        body +=
            Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\(named)\r\n\r\n".utf8)
            + content
            + Data("\r\n".utf8)
    }
    return (body + Data("--\(boundary)--\r\n".utf8), "multipart/form-data; boundary=\(boundary)")
}

/// An archive of named files.
func tar(_ files: [(String, Data)]) -> Data {
    var archive = Data()
    for (name, content) in files {
        var head =
            Data(name.utf8) + Data(count: 100 - name.utf8.count)
            + Data("0000644\u{0}0000000\u{0}0000000\u{0}".utf8)
        head +=
            Data(String(format: "%011o", content.count).utf8) + Data("\u{0}00000000000\u{0}        0".utf8)
        head += Data(count: 512 - head.count)
        let sum = String(format: "%06o\u{0} ", head.reduce(0) { $0 + Int($1) })
        head.replaceSubrange(148..<156, with: Data(sum.utf8))
        archive += head + content + Data(count: (512 - content.count % 512) % 512)
    }
    return archive + Data(count: 1024)
}
