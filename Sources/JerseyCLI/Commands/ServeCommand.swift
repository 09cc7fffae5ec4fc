import ArgumentParser
import Foundation
import Jersey
import JerseyServer
import Synchronization
import Torch

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves models over HTTP, with a page to try them.",
        discussion: """
            POST /v1/predict takes the frames of one player, POST /v1/predict/archive a zip file of several players, \
            POST /v1/predict/video the video of a match. /v2/… is the Open Inference Protocol. GET /openapi.json describes the API, / is the page, /metrics is for Prometheus. Logs are lines of JSON \
            on standard error. After SIGTERM the service answers the requests it has accepted, then exits.

            Limits for --limit, with their defaults:
            \(ServiceLimit.help().map { "  " + $0 }.joined(separator: "\n"))

            Example: jersey serve
            Then: curl -F frames=@1.jpg -F frames=@2.jpg http://127.0.0.1:8080/v1/predict

            Example: jersey serve --model crops=tuned.safetensors --model bundled --host 0.0.0.0
            """)

    @Option(
        help: ArgumentHelp(
            """
            A model and the name to serve it under; 'bundled' or name=bundled is the bundled model. Repeatable; the first is the \
            default for requests that name no model.
            """, valueName: "name=file"))
    var model: [String] = []

    @Flag(
        help: """
            Read all models as the study did, including its defects, if their files do not say how. `jersey export --published \
            --format safetensors` writes a file that does.
            """)
    var published = false

    @Option(
        help: ArgumentHelp(
            "Address to listen on; 0.0.0.0 accepts connections from every network.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("Port; 0 picks a free one.", valueName: "n"))
    var port = 8080

    @Option(
        help: ArgumentHelp(
            """
            A host name that requests may use, besides localhost and the service's own addresses. Requests for other hosts get 403, \
            which stops web pages elsewhere from using a visitor's browser to reach the service. Repeatable.
            """, valueName: "name"))
    var allowedHost: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Origin of web pages that may use this service, such as https://pages.example.org. Repeatable.
            """, valueName: "origin"))
    var allowedOrigin: [String] = []

    @Option(
        help: ArgumentHelp(
            "Set a limit from the list above, such as request-time=30. Repeatable.", valueName: "name=n"))
    var limit: [String] = []

    @Option(help: ArgumentHelp("Sequences in a batch, across requests.", valueName: "n"))
    var batchSize = 16

    @Option(
        help: ArgumentHelp(
            "Longest time that the first sequence waits for the batch to fill.", valueName: "ms"))
    var deadlineMs = 2.0

    @Option(
        help: ArgumentHelp("Requests in flight, waiting or running; further ones get 429.", valueName: "n"))
    var queue = 64

    @Option(
        help: ArgumentHelp(
            "Decoding threads for quick work, and as many again for slow work. Each has a process for formats decoded outside the service.",
            valueName: "n"))
    var workers = 2

    @Option(help: ArgumentHelp("Threads of libtorch (default: all cores but one).", valueName: "n"))
    var threads: Int?

    @Option(help: "Device for all models; 'automatic' uses a GPU if there is one.")
    var device = Device.Choice.cpu

    @OptionGroup var arithmetic: PrecisionOptions

    @OptionGroup var answering: TargetOptions

    @OptionGroup var stopping: AnytimeOptions

    @Option(help: ArgumentHelp("Open connections; to accept more, idle ones are closed.", valueName: "n"))
    var connections = 512

    @Option(
        help: ArgumentHelp(
            "Seconds after SIGTERM in which new connections are accepted, but get 503.", valueName: "s"))
    var drainSeconds = 1.0

    @Option(
        help: ArgumentHelp(
            """
            File with the admin token; requests that change the server (POST /v2/repository/models/NAME/load) must present it. \
            Without it or JERSEY_ADMIN_TOKEN in the environment, they are refused.
            """, valueName: "file"))
    var adminTokenFile: String?

    func validate() throws {
        try (0...65_535).check(port, "--port")
        try BatchLoader.batchLimits.check(batchSize, "--batch-size")
        try (1...100_000).check(queue, "--queue")
        try BatchLoader.workerLimits.check(workers, "--workers")
        try Runtime.threadLimits.check(threads, "--threads")
        try (1...100_000).check(connections, "--connections")
        guard 0...10_000 ~= deadlineMs else { throw ValidationError("--deadline-ms must be 0...10000") }
        guard 0...3600 ~= drainSeconds else { throw ValidationError("--drain-seconds must be 0...3600") }
    }

    func run() throws {
        var settings = ServerSettings()
        if !model.isEmpty { settings.models = try model.map(Self.named) }
        settings.host = host
        settings.port = port
        settings.batchSize = batchSize
        settings.queue = queue
        settings.published = published
        settings.deadline = .milliseconds(deadlineMs)
        if let threads { settings.threads = threads }
        settings.device = try device.resolved()
        settings.workers = workers
        settings.precision = arithmetic.precision
        settings.target = answering.target
        settings.earlyExit = stopping.anytime
        settings.connections = connections
        settings.drainSeconds = drainSeconds
        settings.adminToken = try adminToken()
        settings.allowedHosts = allowedHost
        settings.allowedOrigins = allowedOrigin
        for word in limit { try ServiceLimit.set(word, in: &settings) }
        let names = settings.models.map(\.name).joined(separator: ", ")
        try Self.wait { [settings] in
            try await JerseyService.run(settings) { address in
                Console.print("serving \(names) at \(address)")
                // The parent process may wait for this line at the other end of a pipe.
                fflush(nil)
            }
        }
    }

    private static func named(_ word: String) throws -> (name: String, file: String?) {
        if word == Checkpoint.bundledWord { return (word, nil) }
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            let name = URL(fileURLWithPath: word).deletingPathExtension().lastPathComponent
            throw UsageError(
                "--model must be name=file, such as \(name)=\(word), or 'bundled', not '\(word)'")
        }
        return (parts[0], parts[1] == Checkpoint.bundledWord ? nil : parts[1])
    }

    private func adminToken() throws -> String? {
        let token =
            try adminTokenFile.map {
                String(decoding: try Data(reading: URL(fileURLWithPath: $0)), as: UTF8.self)
            }
            ?? ProcessInfo.processInfo.environment["JERSEY_ADMIN_TOKEN"]
        guard let trimmed = token?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        guard trimmed.utf8.count >= 16, !trimmed.contains(" ") else {
            throw UsageError(
                "the admin token needs at least 16 characters and no spaces; `openssl rand -hex 32` makes a good one"
            )
        }
        return trimmed
    }

    /// Commands are synchronous and run on the main thread, which waits here until the service
    /// ends.
    private static func wait(_ body: @escaping @Sendable () async throws -> Void) throws {
        let failure = Locked<(any Error)?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task {
            do { try await body() } catch { failure.value.withLock { $0 = error } }
            done.signal()
        }
        done.wait()
        if let error = failure.value.withLock({ $0 }) { throw error }
    }

    /// A mutex that a closure can capture.
    private final class Locked<Value: Sendable>: Sendable {
        let value: Mutex<Value>

        init(_ value: Value) {
            self.value = Mutex(value)
        }
    }
}
