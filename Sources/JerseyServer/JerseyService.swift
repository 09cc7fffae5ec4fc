import CSandbox
import Foundation
import Hummingbird
import Jersey
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Torch

/// The HTTP service.
package enum JerseyService {
    /// Serves until SIGTERM or SIGINT. Connections are accepted at once, prediction requests once
    /// their model is loaded. On shutdown, all accepted requests are answered.
    ///
    /// - Parameter onReady: called with the address once the service listens and all models are
    ///   loaded.
    /// - Throws: `UsageError` for invalid settings or an unavailable address; `FileError` for
    ///   weights that cannot be loaded.
    package static func run(_ settings: ServerSettings, onReady: @escaping @Sendable (String) -> Void)
        async throws
    {
        try settings.check()
        Runtime.keepMemory()
        TemporaryFolder.removeLeftovers()
        let log = LogWriter(STDERR_FILENO)
        defer { log.flush() }
        let metrics = ServiceMetrics(log: log)
        let decoders = DecoderPool(settings, startsProcesses: true)
        let files = Dictionary(uniqueKeysWithValues: settings.models.map { ($0.name, $0.file) })
        let registry = ModelRegistry(settings.models.map(\.name)) { name, version in
            try await ServedModel(
                named: name, version: version, from: files[name] ?? nil, settings, decoders: decoders,
                metrics: metrics)
        }
        let logger = Logger(label: "jersey") { _ in JSONLogHandler(writer: log) }
        let (addresses, running) = AsyncStream<String>.makeStream()
        let listener = Listener()
        let handler = PredictionHandler(registry, settings, decoders: decoders, metrics: metrics)
        let app = try application(handler, settings, logger: logger, listener: listener) { running.yield($0) }
        let loading = Loading(registry: registry) {
            for await address in addresses.prefix(1) { onReady(address) }
        }
        let group = ServiceGroupConfiguration(
            services: [
                .init(service: app),
                // If loading fails, there is nothing to serve, so the server shuts down in order.
                .init(service: loading, failureTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: Draining(handler: handler, settings: settings, listener: listener, log: log)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        do {
            try await ServiceGroup(configuration: group).run()
            logger.notice("ended", metadata: ["in_progress": .stringConvertible(metrics.inProgress.value())])
        } catch let error as IOError {
            throw unusable(settings, SystemError(error.errnoCode).reason)
        } catch let error as SocketAddressError.UnknownHost {
            throw unusable(settings, "there is no such address: \(error.host)")
        }
    }

    private static func unusable(_ settings: ServerSettings, _ why: String) -> UsageError {
        UsageError(
            "cannot listen on \(settings.host), port \(settings.port) (\(why)); choose another with --host and --port"
        )
    }

    /// Builds the application from its models. Tests call it in process.
    static func application(
        _ handler: PredictionHandler, _ settings: ServerSettings, logger: Logger,
        listener: Listener = Listener(),
        onRunning: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> Application<RouterResponder<ServiceContext>> {
        let limits = settings.limits
        let connections = Connections(most: settings.connections, mostOfClient: settings.clientConnections)
        return Application(
            router: try router(handler, settings),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionGuard(limits, connections)],
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port), serverName: "jersey",
                // Connections beyond the limit are accepted so that they get an error response.
                availableConnectionsDelegate: .maximum(settings.connections + 64, logger: logger)),
            onServerRunning: { channel in
                listener.set(channel)
                let port = channel.localAddress?.port ?? settings.port
                let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
                onRunning("http://\(host):\(port)")
            }, logger: logger)
    }

    /// All routes, and a 405 for other methods on their paths.
    ///
    /// - Throws: `UsageError` for invalid hosts or origins.
    static func router(_ handler: PredictionHandler, _ settings: ServerSettings) throws -> Router<
        ServiceContext
    > {
        let router = try routes(handler, settings)
        for route in router.routes { handler.metrics.expect("\(route.method) \(route.path)") }
        let methods: [HTTPRequest.Method] =
            [.get, .head, .post, .put, .delete, .patch, .options, .trace, .connect]
            + [HTTPRequest.Method("QUERY")].compactMap(\.self)
        for (_, routes) in Dictionary(grouping: router.routes, by: \.path.description) {
            let known = routes.map(\.method)
            // Each GET route also has a HEAD route.
            let others = methods.filter { !known.contains($0) && !($0 == .head && known.contains(.get)) }
            let allowed = known.map(\.rawValue).sorted().joined(separator: ", ")
            for method in others {
                router.on(routes[0].path, method: method) { _, _ -> Response in
                    var response = ServiceError(
                        .methodNotAllowed, "this path supports \(allowed), not \(method.rawValue)"
                    )
                    .response
                    response.headers[.allow] = allowed
                    return response
                }
            }
        }
        return router
    }

    static func routes(_ handler: PredictionHandler, _ settings: ServerSettings) throws -> Router<
        ServiceContext
    > {
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: RequestObserver(
                metrics: handler.metrics, registry: handler.registry, allowed: try AllowedRequests(settings)))
        PageRoutes.add(to: router, handler, settings)
        V1Routes.add(to: router, handler)
        JobRoutes.add(to: router, handler)
        OpenInference.add(to: router, handler, admin: AdminToken(settings.adminToken))
        return router
    }
}

/// Loads all models while the service already runs. Requests get 503 until it is ready.
private struct Loading: Service {
    let registry: ModelRegistry
    let onLoaded: @Sendable () async -> Void

    func run() async throws {
        try await registry.loadAll()
        await onLoaded()
        try? await gracefulShutdown()
    }
}

/// The listening socket, once there is one.
final class Listener: Sendable {
    private let channel = Mutex<(any Channel)?>(nil)

    func set(_ channel: any Channel) {
        self.channel.withLock { $0 = channel }
    }

    /// Stops new connections. Those in the backlog are still accepted.
    func refuse() async {
        guard let channel = channel.withLock({ $0 }) as? any SocketOptionProvider else { return }
        let level = SocketOptionLevel(SOL_SOCKET)
        let name = SocketOptionName(SO_ATTACH_FILTER)
        try? await channel.unsafeSetSocketOption(level: level, name: name, value: NoPackets()).get()
    }

    /// `@unchecked Sendable`: the memory that it points to never changes.
    private struct NoPackets: @unchecked Sendable {
        let filter = cs_no_packets()
    }
}

/// Delays the server's shutdown. Connections are still accepted for a while, get 503, and are
/// closed in order. A final deadline bounds the shutdown.
private struct Draining: Service {
    let handler: PredictionHandler
    let settings: ServerSettings
    let listener: Listener
    let log: LogWriter

    /// Time for connections that are established but not yet accepted.
    private static let lastConnections = Duration.milliseconds(200)
    /// Time for the error responses to requests that are given up.
    private static let lastSeconds = 4

    func run() async throws {
        try? await gracefulShutdown()
        let end = ContinuousClock.now + .seconds(settings.endSeconds)
        Thread { [log] in
            Thread.sleep(forTimeInterval: (end - .now).seconds)
            // Exit whatever is still running.
            log.flush(seconds: 0.1)
            _exit(1)
        }.start()
        Task.detached { [handler] in
            try? await Task.sleep(until: end - .seconds(Self.lastSeconds))
            handler.underWay.endAll(
                ServiceError(
                    .serviceUnavailable,
                    "this service shut down before the answer was ready; try again, or another server",
                    retryAfter: 1))
        }
        handler.jobs.endAll(
            ServiceError(
                .serviceUnavailable, "this service shut down before the video was read; send it again",
                retryAfter: 60))
        let isKnown = handler.registry.isReady
        handler.registry.drain()
        guard isKnown else { return }
        try? await Task.sleep(for: .seconds(settings.drainSeconds))
        await listener.refuse()
        try? await Task.sleep(for: Self.lastConnections)
    }
}
