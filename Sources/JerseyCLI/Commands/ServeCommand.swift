import ArgumentParser
import Foundation
import Jersey
import JerseyServer
import Synchronization
import Torch

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Reads numbers over HTTP, with a page to try it.",
        discussion: """
            POST /v1/predict takes the frames of one player, /v1/predict/archive a zip file of several, /v2/… is the Open Inference \
            Protocol; GET /openapi.json describes all of it, / is the page, /metrics is for Prometheus. Logs are lines of JSON on \
            standard error. SIGTERM ends it once all requests that were taken are answered.

            Limits of --limit, and what they are unless set:
            \(ServiceLimit.help().map { "  " + $0 }.joined(separator: "\n"))

            Example: jersey serve
            Then: curl -F frames=@1.jpg -F frames=@2.jpg http://127.0.0.1:8080/v1/predict

            Example: jersey serve --model crops=tuned.safetensors --model bundled --host 0.0.0.0
            """)

    @Option(
        help: ArgumentHelp(
            """
            A model and the name it is served by; 'bundled', or name=bundled, is the bundled model. May be given several times; the first answers \
            where a request names none.
            """, valueName: "name=file"))
    var model: [String] = []

    @Flag(
        help: """
            Read all models as the study read its own, defects included, where their files do not say; `jersey export --published --format \
            safetensors` writes a file that does.
            """)
    var published = false

    @Option(help: ArgumentHelp("Address to listen at; 0.0.0.0 is all, for whoever can reach this machine.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("Port; 0 takes one that is free.", valueName: "n"))
    var port = 8080

    @Option(
        help: ArgumentHelp(
            """
            A name by which clients may ask for this service, beside localhost and the addresses at which it is reached; requests for \
            others are refused (403), as a page in a browser could send them. May be given several times.
            """, valueName: "name"))
    var allowedHost: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Origin of pages from elsewhere that may use this service, such as https://pages.example.org. May be given several times.
            """, valueName: "origin"))
    var allowedOrigin: [String] = []

    @Option(
        help: ArgumentHelp(
            "Sets a limit, such as request-time=30. May be given several times; the list is above.", valueName: "name=n"))
    var limit: [String] = []

    @Option(help: ArgumentHelp("Sequences that are read at once, of whatever requests.", valueName: "n"))
    var batchSize = 16

    @Option(help: ArgumentHelp("How long the first sequence of a batch waits for others.", valueName: "ms"))
    var deadlineMs = 2.0

    @Option(help: ArgumentHelp("Requests that may wait or be under way; any more are told to come again (429).", valueName: "n"))
    var queue = 64

    @Option(
        help: ArgumentHelp(
            "Threads for what is quickly decoded, and as many for all else; each has a process for what the service does not decode itself.",
            valueName: "n"))
    var workers = 2

    @Option(help: ArgumentHelp("Threads of libtorch; default: one on each core but one.", valueName: "n"))
    var threads: Int?

    @Option(help: "Where all models compute; 'automatic' is a GPU where there is one.")
    var device = Device.Choice.cpu

    @OptionGroup var arithmetic: PrecisionOptions

    @OptionGroup var stopping: AnytimeOptions

    @Option(help: ArgumentHelp("Connections at once; for any more, those that are idle are closed.", valueName: "n"))
    var connections = 512

    @Option(
        help: ArgumentHelp(
            "Seconds after SIGTERM in which connections are still taken, and told to go elsewhere.", valueName: "s"))
    var drainSeconds = 1.0

    @Option(
        help: ArgumentHelp(
            """
            File with the token that requests must show which change something (POST /v2/repository/models/NAME/load); without it, or \
            JERSEY_ADMIN_TOKEN in the environment, they are refused.
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
        settings.anytime = stopping.anytime
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
                // Whoever started this may wait for the line, at the end of a pipe.
                fflush(nil)
            }
        }
    }

    private static func named(_ word: String) throws -> (name: String, file: String?) {
        if word == Checkpoint.bundledWord { return (word, nil) }
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            let name = URL(fileURLWithPath: word).deletingPathExtension().lastPathComponent
            throw UsageError("--model is a name and a file, such as \(name)=\(word), or 'bundled', and not '\(word)'")
        }
        return (parts[0], parts[1] == Checkpoint.bundledWord ? nil : parts[1])
    }

    private func adminToken() throws -> String? {
        let token =
            try adminTokenFile.map { String(decoding: try Data(reading: URL(fileURLWithPath: $0)), as: UTF8.self) }
            ?? ProcessInfo.processInfo.environment["JERSEY_ADMIN_TOKEN"]
        guard let trimmed = token?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        guard trimmed.utf8.count >= 16, !trimmed.contains(" ") else {
            throw UsageError(
                "the token for changes needs at least 16 characters and no space; `openssl rand -hex 32` makes a good one")
        }
        return trimmed
    }

    /// Commands run on the main thread and are not asynchronous; this one waits there for the service's end.
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

    /// A mutex that a closure can hold on to.
    private final class Locked<Value: Sendable>: Sendable {
        let value: Mutex<Value>

        init(_ value: Value) {
            self.value = Mutex(value)
        }
    }
}
