import Foundation
import Hummingbird
import Jersey
import Logging
import NIOCore
import ServiceLifecycle
import Torch

/// Reading numbers over HTTP.
public enum JerseyService {
    /// Serves until SIGTERM or SIGINT. Connections are taken at once, requests for a model once it is loaded; at the end all that were
    /// taken are answered.
    ///
    /// - Parameter onReady: is told the address, once connections are taken and all models are loaded.
    /// - Throws: `UsageError` for settings that make no sense, or an address that cannot be had; `FileError` for weights that cannot be
    ///   loaded.
    public static func run(_ settings: ServerSettings, onReady: @escaping @Sendable (String) -> Void) async throws {
        try settings.check()
        Runtime.keepMemory()
        TemporaryFolder.removeLeftovers()
        let metrics = ServiceMetrics()
        let decoders = DecoderPool(threads: settings.workers)
        let files = Dictionary(uniqueKeysWithValues: settings.models.map { ($0.name, $0.file) })
        let shelf = ModelShelf(settings.models.map(\.name)) { name, version in
            try await ServedModel(
                named: name, version: version, from: files[name] ?? nil, settings, decoders: decoders, metrics: metrics)
        }
        let logger = Logger(label: "jersey") { _ in JSONLogHandler() }
        let (addresses, running) = AsyncStream<String>.makeStream()
        let app = application(shelf, settings, decoders: decoders, metrics: metrics, logger: logger) { running.yield($0) }
        let loading = Loading(shelf: shelf) { for await address in addresses.prefix(1) { onReady(address) } }
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: app),
                // Where there is nothing to serve, the server ends as ever.
                .init(service: loading, failureTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: Draining(shelf: shelf, seconds: settings.drainSeconds)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(settings.limits.bodySeconds + settings.limits.answerSeconds)
        do {
            try await ServiceGroup(configuration: group).run()
            logger.notice("ended", metadata: ["in_progress": .stringConvertible(metrics.inProgress.value())])
        } catch let error as IOError {
            throw unusable(settings, String(cString: strerror(error.errnoCode)))
        } catch let error as SocketAddressError.UnknownHost {
            throw unusable(settings, "there is no such address: \(error.host)")
        }
    }

    private static func unusable(_ settings: ServerSettings, _ why: String) -> UsageError {
        UsageError("nothing can listen at \(settings.host), port \(settings.port) (\(why)); choose others with --host and --port")
    }

    /// The service as a function of its models.
    static func application(
        _ shelf: ModelShelf, _ settings: ServerSettings, decoders: DecoderPool, metrics: ServiceMetrics, logger: Logger,
        onRunning: @escaping @Sendable (String) -> Void = { _ in }
    ) -> Application<RouterResponder<ServiceContext>> {
        let reception = Reception(
            shelf: shelf, admission: Admission(requests: settings.queue, bytes: settings.memory), decoders: decoders,
            limits: settings.limits, metrics: metrics)
        let limits = settings.limits
        return Application(
            router: router(reception, adminToken: settings.adminToken),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionGuard(limits)],
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port), serverName: "jersey",
                availableConnectionsDelegate: .maximum(settings.connections, logger: logger)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? settings.port
                let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
                onRunning("http://\(host):\(port)")
            }, logger: logger)
    }

    /// All routes, and what refuses other methods of their paths.
    static func router(_ reception: Reception, adminToken: String?) -> Router<ServiceContext> {
        let router = routes(reception, adminToken: adminToken)
        for route in router.routes { reception.metrics.expect("\(route.method) \(route.path)") }
        let methods: [HTTPRequest.Method] =
            [.get, .head, .post, .put, .delete, .patch, .options, .trace, .connect]
            + [HTTPRequest.Method("QUERY")].compactMap(\.self)
        for (_, routes) in Dictionary(grouping: router.routes, by: \.path.description) {
            let known = routes.map(\.method)
            // Of every GET route there is a HEAD route, too.
            let others = methods.filter { !known.contains($0) && !($0 == .head && known.contains(.get)) }
            let allowed = known.map(\.rawValue).sorted().joined(separator: ", ")
            for method in others {
                router.on(routes[0].path, method: method) { _, _ -> Response in
                    var response = ServiceError(.methodNotAllowed, "this path has \(allowed), and no \(method.rawValue)").response
                    response.headers[.allow] = allowed
                    return response
                }
            }
        }
        return router
    }

    static func routes(_ reception: Reception, adminToken: String?) -> Router<ServiceContext> {
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestObserver(metrics: reception.metrics, shelf: reception.shelf))
        PageRoutes.add(to: router, reception)
        PlainRoutes.add(to: router, reception)
        OpenInference.add(to: router, reception, admin: AdminToken(adminToken))
        return router
    }
}

/// Loads all models while the service is alive already, so that whoever asks is told that it is not ready yet.
private struct Loading: Service {
    let shelf: ModelShelf
    let onLoaded: @Sendable () async -> Void

    func run() async throws {
        try await shelf.loadAll()
        await onLoaded()
        try? await gracefulShutdown()
    }
}

/// Is ended before the server: for so long connections are taken still, told that the service is about to end, and closed in order; what
/// lies in the system's queue of connections would be reset otherwise.
private struct Draining: Service {
    let shelf: ModelShelf
    let seconds: Double

    func run() async throws {
        try? await gracefulShutdown()
        let isKnown = shelf.isReady
        shelf.drain()
        if isKnown { try? await Task.sleep(for: .seconds(seconds)) }
    }
}
